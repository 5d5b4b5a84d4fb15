#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mount(8) with a type of fuse.fatward starts the program, umount(8) runs the helper
# by itself, and a server that was killed is no reason to hang.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat mtype mount.fuse
m=$work/m
make_image vol.img 16 16384
mkdir "$m" "$work/upper" "$work/over" "$work/tmpfs"

# the folders where mount(8) and umount(8) look, in this namespace only
mount -t tmpfs tmpfs "$work/tmpfs" && mkdir "$work/tmpfs/upper" "$work/tmpfs/over" &&
    mount -t overlay -o "lowerdir=/usr/sbin,upperdir=$work/tmpfs/upper,workdir=$work/tmpfs/over" \
        overlay /usr/sbin 2>/dev/null ||
    { echo "SKIP: no overlay can be mounted" && exit 77; }
cp "$(command -v fatward)" "$(command -v umount.fuse.fatward)" /usr/sbin/
ln -sf umount.fuse.fatward /usr/sbin/umount.fuse

for round in 1 2 3; do
    run 0 mount -t fuse.fatward -o uid=7 "$work/vol.img" "$m"
    is 7 stat -c %u "$m"
    head -c 300000 /dev/urandom >"$work/data" && cp "$work/data" "$m/data$round"
    # an absolute path, which is umount.fuse's, and another one
    cd "$work" || exit 99
    if [ "$round" -eq 1 ]; then run 0 umount "$m"; else run 0 umount m/; fi
    sound "$work/vol.img"
    mtype -i "$work/vol.img" "::data$round" >"$work/back"
    holds "round $round is on the medium" cmp "$work/data" "$work/back"
done

# killed
serve "$work/vol.img" "$m"
kill -KILL "$server"
wait "$server"
refused "not connected" ls "$m"
run 0 umount "$m"
holds "nothing is mounted" sh -c "! mountpoint -q '$m'"
serve "$work/vol.img" "$m" -o ro
is 300000 stat -c %s "$m/data3"
release "$m"

# what lies below the mount stays, even if a file was open
mount -t tmpfs below "$m" && echo below >"$m/below"
serve "$work/vol.img" "$m"
exec 9<"$m/data1"
kill -TERM "$server"
ends 0
exec 9<&-
is below cat "$m/below"
umount "$m"
