#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every header stands alone. Those of the door do so in plain C17, as a stranger
# would include them; those inside with the flags of the build.
# usage: headers.sh ROOT
. "$(dirname "$0")/lib.sh"
need gcc clang
cd "$root" || exit 2

# alone CC HEADER FLAG...
alone()
{
    compiler=$1 header=$2
    shift 2
    printf '#include <%s>\nextern int nothing;\n' "$header" |
        "$compiler" -std=c17 -Wall -Wextra -Wpedantic -Wundef -Wstrict-prototypes -Werror \
            "$@" -fsyntax-only -x c - || complain "$compiler: does not compile alone" "$header"
}

for compiler in gcc clang; do
    for header in $(cd engine/include && find fatward -name '*.h' | sort); do
        alone "$compiler" "$header" -Iengine/include
    done
    for header in $(sources engine | grep '\.h$' | grep -v '^engine/include/'); do
        alone "$compiler" "${header#engine/}" -Iengine/include -Iengine -D_POSIX_C_SOURCE=200809L
    done
done
exit $bad
