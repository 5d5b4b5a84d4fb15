#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What tests/run ends with is what its reports say: verdicts, reasons and counts, over
# all builds, and exit 1 where that is wanted.
# usage: tally.sh ROOT
. "$(dirname "$0")/lib.sh"
need python3

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# report NAME: a build's report, of the cases on stdin
report()
{
    { echo '<testsuite>' && cat && echo '</testsuite>'; } >"$work/$1.xml"
}

# ends STATUS WHAT [OPTION]: tally.py exits with that, and says what is on stdin
ends()
{
    cat >"$work/wanted"
    # shellcheck disable=SC2086 # none or one
    python3 "$root/tests/tally.py" ${3:-} "$work" >"$work/said" 2>&1
    status=$?
    [ $status -eq "$1" ] || complain "exit $status, not $1" "$2"
    complain "$2" "$(diff "$work/wanted" "$work/said")"
}

report dev <<'X'
<testcase name="a" status="run"><system-out>count: 1000 states judged
count: 234 states judged
 count: 9 states judged
count: 9 states judged, or so
count: 7 faults injected</system-out></testcase>
<testcase name="b" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
<system-out>SKIP: no clang
count: 2 images tried</system-out></testcase>
X
report asan <<'X'
<testcase name="a" status="run"><system-out>count: 1000000 states judged</system-out></testcase>
<testcase name="c" status="run"><system-out>nothing to count</system-out></testcase>
<testcase name="d" status="run"/>
X
ends 0 'what was tried is added up over cases and builds' <<'T'

skipped: dev: b: no clang
1,001,234 states judged, 7 faults injected, 2 images tried, 0 executions fuzzed
4 passed, 0 failed, 1 skipped
T
cp "$work/wanted" "$work/again"
ends 1 'a skipped test fails a strict run' --strict <"$work/again"

report tsan <<'X'
<testcase name="a" status="fail"><failure message="Failed"/><system-out>count: 5 executions fuzzed</system-out></testcase>
X
: >"$work/release.broken"
ends 1 'a failed test counts, a build that failed does too' <<'T'

failed: release: could not be built or run
failed: tsan: a: Failed
skipped: dev: b: no clang
1,001,234 states judged, 7 faults injected, 2 images tried, 5 executions fuzzed
4 passed, 2 failed, 1 skipped
T

rm -f "$work"/*.xml "$work"/*.broken
report dev <<'X'
<testcase name="a" status="run"><system-out></system-out></testcase>
X
ends 0 'nothing is said of what was not counted' <<'T'

1 passed, 0 failed, 0 skipped
T
exit $bad
