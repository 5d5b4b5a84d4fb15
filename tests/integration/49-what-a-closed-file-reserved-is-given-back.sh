#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A file that grows has room set aside behind it. When it is closed, the next one may
# have that: files that are written one after the other lie one behind the other, even
# while the kernel still remembers all of them.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat mshowfat fsck.fat
export MTOOLS_SKIP_CHECK=1
make_image vol.img 16 32768 -s 4
serve "$work/vol.img" "$work/m"

for name in a b c d; do
    # in pieces: only a file that goes on growing, and is large, has room set aside
    holds "$name is written" dd if=/dev/zero of="$work/m/$name" bs=64k count=8 status=none
done
release "$work/m"
sound "$work/vol.img"

# shows NAME FIRST: 256 clusters from there on
shows()
{
    is "::/$1 <$2-$(($2 + 255))>" mshowfat -i "$work/vol.img" "::/$1"
}
first=$(mshowfat -i "$work/vol.img" ::/a | sed 's/.*<\([0-9]*\)-.*/\1/')
shows a "$first"
shows b $((first + 256))
shows c $((first + 512))
shows d $((first + 768))
