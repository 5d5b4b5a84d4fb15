#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Damage of every kind, made here: each volume is mounted read-only and for writing,
# walked, written to and unmounted. Nothing crashes or hangs, a volume that can't be
# mounted is refused with a reason, what is not damaged is readable, and a read-only
# mount changes nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/damaged.sh"
needs fatward umount.fuse.fatward mkfs.fat python3 timeout

mkdir "$work/images" || exit 99
good_volumes
for image in "$work"/good/*.img; do
    run 0 "$(dirname "$0")/make-damage" "$image" "$work/images"
done

count=0
for image in "$work"/images/*.img; do
    count=$((count + 1))
    damaged_volume "$image"
done
[ "$count" -ge 60 ] || fail "only $count volumes were made"
echo "count: $count images tried"

# refused are those that are none, and the message names the field
for name in bytes-per-sector sectors-per-cluster no-fats no-reserved no-sectors; do
    for type in 12 16 32; do
        image=$work/images/$type-$name.img
        mounts "$image" -o ro && fail "$name was mounted"
        grep -qE 'BPB_[A-Za-z0-9]+|sector|cluster|FAT' "$work/server.log" ||
            { cat "$work/server.log" && fail "$name: no reason was given"; }
    done
done
# and what is beside the damage is there
for name in chain-loop cross-link link-out-of-volume folder-in-itself bad-first-cluster; do
    for type in 12 16 32; do
        mounts "$work/images/$type-$name.img" -o ro || fail "$type-$name was not mounted"
        holds "$type-$name: the good file" cmp "$work/a" "$work/m/GOOD.TXT"
        unmounts
    done
done
