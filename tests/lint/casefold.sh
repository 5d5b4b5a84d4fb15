#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The table of upper-case letters is what its generator makes of the Unicode data.
# usage: casefold.sh SOURCE_ROOT
set -eu
root=${1:?usage: casefold.sh SOURCE_ROOT}
data=/usr/share/unicode

for file in "$data/UnicodeData.txt" "$data/DerivedAge.txt"; do
    [ -e "$file" ] || { echo "SKIP: $file is missing (package unicode-data)"; exit 77; }
done
command -v python3 >/dev/null || { echo "SKIP: python3 is missing"; exit 77; }

made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$root/tools/gen-casefold" "$data" >"$made"
diff -u "$root/engine/base/casefold_table.inc" "$made" || {
    echo "engine/base/casefold_table.inc is not what tools/gen-casefold writes"
    exit 1
}
