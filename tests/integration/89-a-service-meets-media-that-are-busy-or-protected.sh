#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The helper and the server together, on media that can't be written, that somebody
# else holds for a while, or whose server is told to leave before it has begun.
. "$(dirname "$0")/lib.sh"
needs fatward fatward-mount umount.fuse.fatward mkfs.fat fsck.fat systemd-socket-activate
m=$work/m
log=$work/log
make_image vol.img 16 16384
mkdir "$m" || exit 99
mount -t tmpfs tmpfs /run && mkdir /run/filesystems || exit 99

systemd-socket-activate --accept --seqpacket -l /run/filesystems/vfat \
    "$(command -v fatward)" 2>"$log" &
servers="$servers $!"
tries=0
until [ -S /run/filesystems/vfat ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 250 ] || { echo "SKIP: no socket can be had" && exit 77; }
    sleep 0.02
done

# leave: unmounted, and complete when that returns
leave()
{
    run 0 umount.fuse.fatward "$m"
    sound "$work/vol.img"
}
nothing_mounted()
{
    ! grep " $m " /proc/self/mountinfo || fail "something is mounted"
}

for words in max_read=65536 max_readahead=65536 max_background=9 utf8,quiet; do
    run 0 fatward-mount -t vfat "$work/vol.img" "$m" -o "$words"
    holds "the mount works with $words" touch "$m/file"
    leave
done

# what can't be written is mounted all the same, and says so
attach "$work/vol.img"
run 0 blockdev --setro "$loop"
run 0 fatward-mount -t vfat "$loop" "$m"
grep -q "can't be written: mounting it read-only" "$log" || { cat "$log" && fail "not said"; }
refused "Read-only" touch "$m/new"
holds "it can be read" test -e "$m/file"
run 0 umount "$m"
run 0 blockdev --setrw "$loop"
run 0 losetup -d "$loop"

# held by somebody who leaves in time, and by one who stays
flock "$work/vol.img" sleep 1 &
sleep 0.2
run 0 fatward-mount -t vfat "$work/vol.img" "$m"
leave
flock "$work/vol.img" sleep 7 &
holder=$!
sleep 0.2
run 1 fatward-mount -t vfat "$work/vol.img" "$m"
nothing_mounted
kill "$holder"
wait "$holder"

# told to leave while it waits for the image: no mount that nobody serves
flock "$work/vol.img" sleep 2 &
sleep 0.2
fatward-mount -t vfat "$work/vol.img" "$m" 2>"$work/err" &
helper=$!
sleep 0.5
server=$(sed -n 's/^Spawned .* as PID \([0-9]*\)\.$/\1/p' "$log" | tail -n 1)
kill -TERM "$server" || fail "there is no server $server"
wait "$helper"
is 1 echo "$?"
nothing_mounted
grep -q "told to leave before it was served" "$log" || { cat "$log" && fail "not said"; }
sound "$work/vol.img"
