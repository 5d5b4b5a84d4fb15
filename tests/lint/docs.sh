#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the documents call by its path exists; options are the same in the program, in what
# --help says and in the manual page.
#
# A path is a word in backticks that
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

# manual PAGE: its words without roff's marks
manual()
{
    sed -E 's/\\-/-/g; s/\\f.//g; s/^\.[A-Z]+ //; s/[",()]/ /g' "docs/man/$1"
}

# Mount options, by their table: each is in the manual, or its opposite is.
if [ -e fuse/options.c ]; then
    complain "not in fatward.8" "$(
        words=$(manual fatward.8 | tr ' ' '\n')
        sed -nE 's/^ *(OURS|PASSED|IGNORED)\("([^"]+)".*/\2/p' fuse/options.c |
            while read -r word; do
                case $word in
                no*) other=${word#no} ;;
                *) other=no$word ;;
                esac
                printf '%s\n' "$words" |
                    grep -qE -- "^($word|$other)$(case $word in *=) ;; *) echo '([^a-z_=]|$)' ;; esac)" ||
                    echo "$word"
            done)"
fi

# Long options, by the table for getopt_long(3): they are in the manual and in the help,
# and neither has another.
for page in mkimage.1 inspect.8; do
    tool=${page%.*}
    [ -d "tools/$tool" ] || continue
    options()
    {
        grep -ohE -- '(^|[^-a-z])--[a-z]+(-[a-z]+)*' | grep -oE -- '--.*' | sort -u
    }
    table=$(cat tools/"$tool"/*.c | sed -nE 's/^ *\{"([a-z-]+)", (no|required)_argument.*/--\1/p' | sort -u)
    said=$(cat tools/"$tool"/*.c | grep '^ *"' | options)
    written=$(manual "fatward-$page" | options)
    complain "tools/$tool: --help and options differ" "$(
        printf '%s\n' "$table" "$said" | sort | uniq -u)"
    complain "fatward-$page: manual and options differ" "$(
        printf '%s\n' "$table" "$written" | sort | uniq -u)"
done
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
