#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Eight processes do everything to the same names at once, in all spellings; then the
# volume is sound. In the sanitizer builds the server is one of theirs, and every
# complaint of its fails the test. STRESS_SECONDS (default 6) for each of the volumes,
# STRESS_SEED to do one again.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat python3
stress=$(cd "$(dirname "$0")" && pwd)/stress
export TSAN_OPTIONS="halt_on_error=0 ${TSAN_OPTIONS-}"

round() # TYPE KIB MKFS-OPTION...
{
    make_image "vol$1.img" "$@"
    serve "$work/vol$1.img" "$work/m" -o commit=1
    # shellcheck disable=SC2086 # an option or nothing, a seed or nothing
    python3 "$stress" $roomy "$work/m" "${STRESS_SECONDS:-6}" ${STRESS_SEED-} >"$work/stress" 2>&1
    status=$?
    cat "$work/stress"
    if [ "$status" -ne 0 ]; then
        cat "$work/server.log"
        fail "FAT$1: a process met what it should not"
    fi
    release "$work/m"
    if grep -E "Sanitizer|runtime error" "$work/server.log"; then
        cat "$work/server.log"
        fail "FAT$1: the server's sanitizer complains"
    fi
    sound "$work/vol$1.img"
    fatward-inspect check "$work/vol$1.img" >"$work/out" 2>&1 ||
        { cat "$work/out" && fail "FAT$1: our checker"; }
}

# small enough to run full, and with sets of slots over sector borders
roomy=
round 12 1024 -s 1
# there is always room in the others, and so nobody hears that there is none
roomy=--roomy
round 16 20480 -s 4
round 32 40960 -s 1
# and what nobody uses is forgotten all the time
export FATWARD_MOST_FILES=10
rm "$work/vol16.img"
round 16 20480 -s 1
