#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tests/replay/run, with all that it does, on a tree of its own that has little in it:
# it configures, builds what has changed, runs what has the label, says what came of it.
# usage: run-test.sh ROOT
. "$1/tests/lint/lib.sh"
need cmake ninja ctest python3

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
tree="$work/a tree"
mkdir -p "$tree/tests/replay" && cp "$root/tests/replay/run" "$tree/tests/replay/" &&
    cp "$root/CMakePresets.json" "$tree/" || exit 2

# A preset names the compiler; nothing is compiled. "built" stands for the programs.
cat >"$tree/CMakeLists.txt" <<'T'
cmake_minimum_required(VERSION 3.25)
project(few LANGUAGES NONE)
enable_testing()
add_custom_command(OUTPUT built DEPENDS source
  COMMAND sh -n ${CMAKE_SOURCE_DIR}/source
  COMMAND cp ${CMAKE_SOURCE_DIR}/source built)
add_custom_target(all_of_it ALL DEPENDS built)
foreach(name good rows skips bad crashes other)
  add_test(NAME replay/${name} COMMAND sh ${CMAKE_BINARY_DIR}/built ${name} "two words")
  set_tests_properties(replay/${name} PROPERTIES LABELS replay
    ENVIRONMENT "IN_PLACE=${CMAKE_BINARY_DIR}/built;OF=it's me")
endforeach()
add_test(NAME replay/good-but-of-another-kind COMMAND false)
set_tests_properties(replay/other PROPERTIES LABELS unit)
T

# say_source VERSION: what the tests do
say_source()
{
    cat >"$tree/source" <<T
[ "\$2 \$OF" = "two words it's me" ] && [ -f "\$IN_PLACE" ] || exit 3
case \$1 in
good) echo "$1, seed \$REPLAY_SEED, long \$REPLAY_LONG" &&
    echo "count: 10 states judged" && echo "count: 2 states judged" ;;
rows) echo "some: 5 states judged" && echo "others: 4 states judged, 0 bad" ;;
skips) echo "SKIP: no moon" && exit 77 ;;
bad) echo "count: 3 states judged" && echo "BAD [x] gone" && exit 1 ;;
crashes) echo "its last words" && exit 139 ;;
esac
T
}

# ends STATUS WHAT ARGUMENT...: it exits with that; $work/wanted has what it says, but
# for the time, which changes
ends()
{
    wanted=$1 what=$2
    cat >"$work/wanted"
    shift 2
    (cd "$work" && "$tree/tests/replay/run" "$@") >"$work/said" 2>&1
    status=$?
    [ $status -eq "$wanted" ] || complain "exit $status, not $wanted" "$what"
    complain "$what" \
        "$(sed 's/; [0-9]* s$//' "$work/said" | LC_ALL=C sort | diff "$work/wanted" -)"
}

say_source first
ends 0 'a new folder is configured and built, and rows are added up' \
    --jobs 1 --build "new folder" 'good|rows' <<'T'
replay-good: 12 states judged
replay-rows: 9 states judged
replay: 21 states judged; 2 tests, 0 failed, 0 skipped; seed 1
T
complain 'built as the preset dev' \
    "$(grep -q '^CMAKE_C_FLAGS_DEBUG:.*-O1' "$work/new folder/CMakeCache.txt" || echo no)"
complain 'the log of a test' \
    "$(echo 'first, seed 1, long 0' | diff - "$work/new folder/replay/replay-good.log" |
        grep '^<')"

say_source second
ends 0 'what has changed is built again' \
    --long --seed 7 --build "new folder" 'replay/good$' <<'T'
replay-good: 12 states judged
replay: 12 states judged; 1 tests, 0 failed, 0 skipped; seed 7
T
complain 'what was asked for reaches the tests' \
    "$(echo 'second, seed 7, long 1' | diff - "$work/new folder/replay/replay-good.log" |
        grep '^<')"

say_source third
ends 0 'without building it is as it was' --no-build --build "new folder" 'good$' <<'T'
replay-good: 12 states judged
replay: 12 states judged; 1 tests, 0 failed, 0 skipped; seed 1
T
complain 'nothing is built' \
    "$(grep -q second "$work/new folder/replay/replay-good.log" || echo it was)"

ends 1 'what is bad is shown, and the last words of what has died' \
    --jobs 1 --build "new folder" <<'T'
BAD [x] gone
its last words
replay-bad: FAILED (1), 3 states judged:
replay-crashes: FAILED (139), 0 states judged:
replay-good: 12 states judged
replay-rows: 9 states judged
replay-skips: skipped: SKIP: no moon
replay: 24 states judged; 5 tests, 2 failed, 1 skipped; seed 1
T
ends 77 'all skipped' --build "new folder" skips <<'T'
replay-skips: skipped: SKIP: no moon
replay: 0 states judged; 1 tests, 0 failed, 1 skipped; seed 1
T
ends 1 'no test of that name' --build "new folder" 'no such' <<'T'
replay: 0 states judged; 0 tests, 0 failed, 0 skipped; seed 1
T

echo 'if' >"$tree/source"
(cd "$work" && "$tree/tests/replay/run" --build "new folder" good) >"$work/said" 2>&1
status=$?
[ $status -eq 1 ] || complain "exit $status, not 1" 'what does not build'
complain 'what does not build is shown, and nothing is run' \
    "$(grep -q FAILED "$work/said" || echo not shown; grep 'states judged' "$work/said")"
exit $bad
