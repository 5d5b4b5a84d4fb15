#!/bin/sh
# SPDX-License-Identifier: MIT
#
# For each size from 64 KiB to 2 TiB: type, cluster size, reserved sectors, FAT size,
# root entries, total and the rest of the BPB are those that mkfs.fat writes, byte for
# byte, and both checkers find nothing. The images are sparse.
. "$(dirname "$0")/tools.sh"
needs mkfs.fat fsck.fat cmp od

ours=$work/ours.img theirs=$work/theirs.img

number() # OFFSET SIZE: a little-endian field of mkfs.fat's boot sector
{
    od -An -tu"$2" --endian=little -j "$1" -N "$2" "$theirs" | tr -d ' '
}

# FATSz16 is 0 on FAT32; the fields end at 90 there and at 62 else, boot code follows.
field_bytes()
{
    if [ "$(number 22 2)" -eq 0 ]; then echo 79; else echo 51; fi
}

# same_layout KIB MKFS-OPTION... -- OUR-OPTION...
same_layout()
{
    kib=$1
    shift
    their_options=
    while [ "$1" != -- ]; do
        their_options="$their_options $1"
        shift
    done
    shift
    rm -f "$ours" "$theirs"
    truncate -s "${kib}K" "$theirs"
    # shellcheck disable=SC2086 # a list
    run 0 mkfs.fat -i 1234ABCD $their_options "$theirs"
    run 0 fatward-mkimage "$ours" --size="${kib}K" --serial=1234-ABCD "$@"
    # With 4096-byte sectors mkfs.fat leaves the root of floppies and the like with a
    # part of a sector; such volumes are refused by the kernel, and not made by us.
    entries=$(number 17 2)
    if [ $((entries * 32 % $(number 11 2))) -eq 0 ]; then
        cmp -i 11 -n "$(field_bytes)" "$ours" "$theirs" >"$work/out" 2>&1 || {
            cat "$work/out"
            fatward-inspect info "$ours"
            fail "not laid out as by mkfs.fat:${their_options} ${kib} KiB"
        }
    fi
    sound "$ours"
}

for kib in 64 100 160 180 320 360 720 1200 1440 2048 2880 4096 8192 8193 16384 17000 \
    32768 65536 131072 262144 262145 266240 300000 524288 1048576 4194304 8388608 \
    8388609 16777216 33554432 33554433 134217728; do
    same_layout "$kib" --
    same_layout "$kib" -S 4096 -- --sector-size=4096
done
same_layout 1073741824 --
same_layout 2147483647 -- # 2 TiB, less what the sector count can't say

same_layout 8192 -F 12 -- --type=12
same_layout 20480 -F 16 -- --type=16
same_layout 524288 -F 16 -- --type=16
same_layout 65536 -F 32 -- --type=32
same_layout 65536 -f 1 -- --fats=1
same_layout 65536 -s 8 -- --cluster-size=4K
same_layout 4194304 -s 64 -- --cluster-size=32K
same_layout 65536 -S 2048 -- --sector-size=2048
same_layout 65536 -n LABEL -- --label=label
