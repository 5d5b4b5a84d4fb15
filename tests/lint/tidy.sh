#!/bin/sh
# SPDX-License-Identifier: MIT
#
# clang-tidy over all that is shipped, with the flags of a configured build. Clang's
# thread-safety analysis comes along, even where that build is gcc's.
# usage: tidy.sh ROOT BUILD
. "$(dirname "$0")/lib.sh"
build=${2:?usage: tidy.sh ROOT BUILD}
need clang-tidy run-clang-tidy

if [ ! -f "$build/compile_commands.json" ]; then
    echo "$build/compile_commands.json is missing: configure first"
    exit 1
fi
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
cd "$root" || exit 2
if ! run-clang-tidy -quiet -j2 -p "$build" -extra-arg=-Wthread-safety \
    "^$root/(engine|fuse|service|tools)/.*\.c\$" >"$log" 2>&1; then
    sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -vE '^(clang-tidy[-0-9]*|[0-9]+ warnings?) '
    bad=1
fi
exit $bad
