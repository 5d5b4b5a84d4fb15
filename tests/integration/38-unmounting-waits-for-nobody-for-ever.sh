#!/bin/sh
# SPDX-License-Identifier: MIT
#
# umount.fuse.fatward where something is not as it should be: a server that does not
# answer, a source that is no medium or somebody else's, a mount that lives on at
# another place. It comes to an end soon, and touches nothing.
. "$(dirname "$0")/mount-helper.sh"
needs fatward umount.fuse.fatward mkfs.fat strace
rm "$work/img"
make_image img 16 16384

# within SECONDS STATUS COMMAND...
within()
{
    seconds=$1
    shift
    start=$(date +%s%N)
    run "$@"
    took=$((($(date +%s%N) - start) / 1000000))
    [ "$took" -le "$((seconds * 1000))" ] || fail "it took $took ms: $*"
}

# one of two places
serve "$work/img" "$m"
mkdir "$work/b" && mount --bind "$m" "$work/b" || exit 99
within 3 0 umount.fuse.fatward "$work/b"
holds "the other is there" touch "$m/file"
mount --bind "$m" "$work/b" || exit 99
within 3 0 umount.fuse.fatward "$m"
is "" cat "$work/b/file"
release "$work/b"

# silent: a mount whose server never reads what the kernel asks
silent()
{
    plays greet type=0 "name=$work/img" "mntp=$m" "opts=allow_other" doit=6 bye=0 hang pause=60
    run 0 fatward-mount -t fuse.vfat "$work/img" "$m"
}

silent
within 3 0 umount.fuse.fatward -l "$m"
nothing_mounted
dismiss "$peer"
silent
within 3 0 umount.fuse.fatward -f "$m"
nothing_mounted
dismiss "$peer"
silent
within 15 0 umount.fuse.fatward "$m"
says "$m: its server has not committed within 10 seconds"
[ "$took" -ge 9000 ] || fail "it took $took ms only"
nothing_mounted
dismiss "$peer"

# what is no medium is not opened, whoever named it
mkfifo "$work/fifo" && mknod "$work/kmsg" c 1 11 || exit 99
for name in fifo kmsg; do
    serve "$work/img" "$m" -o "fsname=$work/$name,subtype=vfat"
    within 3 0 strace -f -o "$work/trace" -E ASAN_OPTIONS=detect_leaks=0 \
        -e trace=open,openat umount.fuse.fatward "$m"
    says "not waiting for the server of $m: $work/$name: Block device required"
    holds "not opened" sh -c "! grep '$work/$name' '$work/trace' | grep -v O_PATH"
    ends 0
done

# somebody else's lock on what he named himself; his own he waits for
if command -v fusermount3 >/dev/null; then
    as_user true
    : >"$work/locked" && chown 65534 "$work/locked" "$work/img" "$m"
    python3 -c "
import fcntl, time
locked = open('$work/locked')
fcntl.flock(locked, fcntl.LOCK_EX)
open('$work/ready', 'w')
time.sleep(60)" &
    locker=$!
    servers="$servers $locker"
    until [ -e "$work/ready" ]; do sleep 0.02; done
    user_serves()
    {
        holds "an ordinary user mounts" as_user env PATH="$PATH" \
            fatward "$work/img" "$m" -o "fsname=$work/locked"
    }
    user_serves
    within 5 0 umount.fuse.fatward "$m"
    says "do not remove the medium yet"
    nothing_mounted
    user_serves
    (sleep 4 && kill "$locker") &
    within 10 0 as_user env PATH="$PATH" umount.fuse.fatward "$m"
    [ "$took" -ge 3000 ] || fail "it waited for $took ms only"
    dismiss "$locker"
fi
