#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the documents call by its path exists. A path is a word in backticks that
# starts with a folder of this tree (or, for short, a floor of the engine) or names
# a file at the top; * is allowed, <placeholders> are no paths.
# usage: docs.sh ROOT
. "$(dirname "$0")/lib.sh"
cd "$root" || exit 2

words()
{
    awk '/^[ ]*```/ { fenced = !fenced; next }
        !fenced {
            n = split($0, part, "`")
            for (i = 2; i < n; i += 2) print FILENAME ":" FNR " " part[i]
        }' "$@"
}

# there PATTERN: something matches it
there()
{
    for found in $1; do
        [ -e "$found" ] && return 0
    done
    return 1
}

documents=$(ls README.md docs/*.md 2>/dev/null)
[ -n "$documents" ] || exit 0
complain "no such path" "$(
    # shellcheck disable=SC2086
    words $documents | while read -r place word rest; do
        [ -z "$rest" ] || word=$(echo "$word $rest" | awk '{ print $1 }')
        echo "$word" | grep -qE '^[A-Za-z0-9_.*/-]+$' || continue
        case $word in
        engine/* | fuse/* | service/* | units/* | tools/* | tests/* | docs/* | .ci/*) ;;
        base/* | ondisk/* | block/* | alloc/* | tree/* | volume/*) word=engine/$word ;;
        CMakeLists.txt | CMakePresets.json | README* | LICENSE | .clang-format | .clang-tidy | .editorconfig) ;;
        *) continue ;;
        esac
        there "$word" || echo "$place: $word"
    done)"
exit $bad
