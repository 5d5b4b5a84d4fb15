#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Requests that no kernel sends: nodes that were never handed out or are forgotten while
# another thread works on them, lengths that lie, handles that nobody opened, operations
# that do not exist, all at once. They are refused or do what they say; the server stays,
# and the volume is sound. FORGE_SEED to do one again, FORGE_COUNT for more. In the
# sanitizer builds the server is one of theirs, and every complaint of its fails the test.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat
shim=$(echo "$FATWARD_BIN_DIR" | tr : '\n' | sed 's|$|/libforge-shim.so|' | xargs ls 2>/dev/null | head -n 1)
[ -n "$shim" ] || fail "the shim was not built"
export ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS-}"
export FORGE_COUNT="${FORGE_COUNT:-6000}"

serve_forged() # IMAGE
{
    echo "FORGE_SEED=$FORGE_SEED FORGE_COUNT=$FORGE_COUNT FORGE_END=${FORGE_END-}"
    mkdir -p "$work/m"
    export LD_PRELOAD="$shim"
    fatward -f "$work/$1" "$work/m" -o commit=1 >"$work/server.log" 2>&1 &
    server=$!
    unset LD_PRELOAD
    servers="$servers $server"
    wait_for_mount "$work/m" "$server" || fail "it did not mount"
    # each wakes a thread, which then takes forged ones for as long as there are any
    asking=
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        stat -f "$work/m" >"$work/out" 2>&1 &
        asking="$asking $!"
    done
    # shellcheck disable=SC2086 # a list
    wait $asking
    while kill -0 "$server" 2>/dev/null && ! grep -q "forge: that was all" "$work/server.log"; do
        sleep 0.1
    done
}

# what the sanitizers and the shim say
nothing_wrong()
{
    tail -n 40 "$work/server.log"
    ! grep -qE "Sanitizer|runtime error|Assertion|an answer of" "$work/server.log" ||
        fail "see above"
    tally=$(grep -o "forge: .*" "$work/server.log") || fail "the shim was not loaded"
    echo "$tally" | grep -qE "[0-9]{3,} of them fine, [0-9]{3,} stale" ||
        fail "hardly anything was really done"
}

for seed in ${FORGE_SEED:-1 2}; do
    export FORGE_SEED="$seed"
    for kind in "12 1024 -s 1" "32 40960 -s 1"; do
        # shellcheck disable=SC2086 # a list
        make_image "vol$seed.img" $kind
        serve_forged "vol$seed.img"
        kill -0 "$server" || { nothing_wrong && fail "the server is gone"; }
        holds "the server still serves" cp "$0" "$work/m/a new file"
        holds "and what it is told" cmp "$0" "$work/m/a new file"
        release "$work/m"
        nothing_wrong
        sound "$work/vol$seed.img"
        rm "$work/vol$seed.img"
    done
done

# nothing is served any more, but nothing breaks
make_image destroyed.img 16 20480
export FORGE_END=destroy
serve_forged destroyed.img
refused "not connected" ls "$work/m"
umount -i -l "$work/m"
ends 0
nothing_wrong
sound "$work/destroyed.img"

# not even a header: that is no connection to a kernel
make_image short.img 16 20480
# (libfuse keeps a string then)
export FORGE_END=short ASAN_OPTIONS="detect_leaks=0:$ASAN_OPTIONS"
serve_forged short.img
ends 2
nothing_wrong
sound "$work/short.img"
