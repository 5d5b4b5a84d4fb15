#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every source says its licence: C in its first line, the rest within three.
# usage: spdx.sh ROOT
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 2

line='SPDX-License-Identifier: MIT'

complain "no SPDX line" "$(
    find . \( -name .git -o -path ./build \) -prune -o -type f -print | sort |
        while read -r file; do
            case $file in
            *.[ch]) head -n 1 "$file" | grep -qxF "/* $line */" || echo "$file" ;;
            *.sh | *.py | *.cmake | *.cmake.in | */CMakeLists.txt | *.service.in | *.socket.in | */.clang-* | */.editorconfig)
                head -n 3 "$file" | grep -qF "$line" || echo "$file"
                ;;
            *)
                # Scripts without a suffix; man pages and data have no #! line.
                head -c 2 "$file" | grep -q '^#!' || continue
                head -n 3 "$file" | grep -qF "$line" || echo "$file"
                ;;
            esac
        done)"
exit $bad
