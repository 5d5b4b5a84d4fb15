# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# Shared by the tests of fatward-mkimage and fatward-inspect, which mount nothing and
# need no privilege. FATWARD_BIN_DIR names the folders of the programs, as PATH does.
# Sets $work, a folder that goes away.
set -u
export LC_ALL=C TZ=UTC
unset SOURCE_DATE_EPOCH
PATH=${FATWARD_BIN_DIR:?names the folders of the programs}:$PATH:/usr/sbin:/sbin

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

# needs PROGRAM...: or the test is skipped
needs()
{
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 && continue
        echo "SKIP: $program is not installed"
        exit 77
    done
}

fail()
{
    echo "FAILED: $*"
    exit 1
}

# run STATUS COMMAND...: it must end with STATUS; what it says is in $work/out, err
run()
{
    wanted=$1
    shift
    "$@" >"$work/out" 2>"$work/err"
    status=$?
    if [ "$status" -ne "$wanted" ]; then
        cat "$work/out" "$work/err"
        fail "status $status instead of $wanted: $*"
    fi
}

# says REGEX: the last run said so, on stdout or stderr
says()
{
    grep -qE -- "$1" "$work/out" "$work/err" && return 0
    cat "$work/out" "$work/err"
    fail "the last command did not say: $1"
}

# sound IMAGE: both checkers have nothing to say
sound()
{
    run 0 fatward-inspect check "$1"
    run 0 fsck.fat -n "$1"
    ! grep -vE '^fsck.fat |^/?.*: [0-9]+ files, [0-9]+/[0-9]+ clusters$' "$work/out" ||
        fail "fsck.fat has something to say about $1"
}
