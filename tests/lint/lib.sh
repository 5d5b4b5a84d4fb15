# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# Shared by the lints. Each takes the root of a tree first, prints one line per
# violation, and exits 0 (clean), 1 (violations) or 77 (a tool is missing).
set -u
export LC_ALL=C

root=${1:?usage: $0 ROOT ...}
root=$(cd "$root" && pwd) || exit 2
bad=0

# complain TEXT LINES: a violation unless LINES is empty
complain()
{
    [ -z "$2" ] && return 0
    printf '%s\n' "$2" | sed "s|^|$1: |"
    bad=1
}

need()
{
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 && continue
        echo "SKIP: $tool is not installed"
        exit 77
    done
}

# present DIR...: those of the directories that this tree has
present()
{
    for directory in "$@"; do
        [ -d "$root/$directory" ] && printf '%s\n' "$directory"
    done
    return 0
}

# sources DIR...: the C files below, relative to the root
sources()
{
    (cd "$root" && for directory in $(present "$@"); do
        find "$directory" -name '*.[ch]'
    done | sort)
}
