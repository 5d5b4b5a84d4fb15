#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Root's mount of a block device is a fuseblk mount: the kernel holds the device, a
# plain umount(2) waits for the server, and syncfs reaches it. Birth times reach
# everybody.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat mtype losetup python3
m=$work/m
make_image vol.img 16 16384

serve "$work/vol.img" "$m"
before=$(date +%s)
sleep 1
echo born >"$m/born"
birth=$(stat -c %W "$m/born")
holds "the birth time is now, not $birth" [ "$birth" -ge "$before" ]
touch -d 2001-02-03T04:05:06Z "$m/born"
is "$birth" stat -c %W "$m/born"
is 981173106 stat -c %Y "$m/born"
release "$m"

attach "$work/vol.img"
serve "$loop" "$m" -o commit=3600
is "fuseblk.fatward" findmnt -no FSTYPE "$m"
is "$loop" findmnt -no SOURCE "$m"
refused . mount -t ext2 "$loop" "$work" # held, and in any case no ext2

# the server is stopped from committing by itself: only syncfs can have written this
holds "syncfs" python3 - "$m" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
with open(sys.argv[1] + "/synced", "w") as f:
    f.write("synced\n")
fd = os.open(sys.argv[1], os.O_RDONLY)
sys.exit(1 if libc.syncfs(fd) else 0)
P
is synced peek "$loop" synced

# umount(2) waits
head -c 300000 /dev/urandom >"$work/data" && cp "$work/data" "$m/data"
python3 - "$m" <<'P' || fail "umount2"
import ctypes, sys
sys.exit(1 if ctypes.CDLL(None).umount2(sys.argv[1].encode(), 0) else 0)
P
mtype -i "$work/vol.img" ::data >"$work/back"
holds "all is on the device" cmp "$work/data" "$work/back"
sound "$loop"
ends 0
