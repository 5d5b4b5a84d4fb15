#!/bin/sh
# SPDX-License-Identifier: MIT
#
# With mirroring off only the active FAT is read and written. A medium that can't be
# written is mounted read-only, and the server says so.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat losetup blockdev python3
m=$work/m
make_image one.img 32 65536 -s 1

# fat NUMBER: the bytes of that copy
fat()
{
    python3 - "$work/one.img" "$1" <<'P'
import sys
f = open(sys.argv[1], 'rb')
boot = f.read(512)
start = int.from_bytes(boot[14:16], 'little') * 512
size = int.from_bytes(boot[36:40], 'little') * 512
f.seek(start + int(sys.argv[2]) * size)
sys.stdout.buffer.write(f.read(size))
P
}

# BPB_ExtFlags: mirroring off, FAT 1 is active, in both boot sectors
printf '\201' | dd of="$work/one.img" bs=1 seek=40 conv=notrunc status=none
printf '\201' | dd of="$work/one.img" bs=1 seek=$((6 * 512 + 40)) conv=notrunc status=none
fat 0 >"$work/fat0"
fat 1 >"$work/fat1"
serve "$work/one.img" "$m"
cp -R "$(dirname "$0")" "$m/tests"
release "$m"
fat 0 >"$work/fat0.after"
fat 1 >"$work/fat1.after"
holds "the FAT that is not active is left alone" cmp "$work/fat0" "$work/fat0.after"
holds "the active one was written" sh -c "! cmp -s $work/fat1 $work/fat1.after"
run 0 fatward-inspect check "$work/one.img"
serve "$work/one.img" "$m"
holds "it reads back what it wrote" diff -r "$(dirname "$0")" "$m/tests"
release "$m"

attach "$work/one.img"
holds "the device is made read-only" blockdev --setro "$loop"
serve "$loop" "$m"
holds "it says so" grep -q "read-only" "$work/server.log"
holds "the kernel knows" findmnt -no OPTIONS "$m" -O ro
refused "Read-only file system" touch "$m/new"
holds "it can be read" diff -r "$(dirname "$0")" "$m/tests"
release "$m"
holds "the device is as it was" blockdev --setrw "$loop"
