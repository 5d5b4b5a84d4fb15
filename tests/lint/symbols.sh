#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A shared library of ours exports fat_ names and nothing else.
# usage: symbols.sh ROOT LIBRARY
. "$(dirname "$0")/lib.sh"
library=${2:?usage: symbols.sh ROOT LIBRARY}
need nm

names=$(nm -D --defined-only "$library" | awk '{ print $NF }') || exit 2
complain "exported but not fat_" "$(echo "$names" | grep -v '^fat_')"
if ! echo "$names" | grep -q '^fat_'; then
    complain "exports nothing" "$library"
fi
exit $bad
