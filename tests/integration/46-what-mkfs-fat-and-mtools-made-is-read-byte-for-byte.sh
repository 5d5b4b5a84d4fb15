#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Volumes by mkfs.fat, filled by mtools: every type with several sizes of sectors and
# clusters, one, two and three FATs.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 mcopy mmd mtype

mkdir "$work/tree" || exit 99
run 0 "$tree" make "$work/tree" 500 3
# mtools stores no name outside the BMP, and a short one with a y with dots without
rm -rf "$work/tree/beyond"
# and in clusters of 512 bytes it finds no room for the longest names
find "$work/tree" -depth -regextype posix-extended -regex '.*/[^/]{190,}' -exec rm -rf {} +
find "$work/tree" -depth \( -name '*ÿ*' -o -name '*Ÿ*' \) -exec rm -rf {} +

while read -r type kib options; do
    # shellcheck disable=SC2086 # a list
    echo "FAT$type $kib $options"
    make_image vol.img "$type" "$kib" $options
    LC_ALL=C.UTF-8 run 0 mcopy -s -Q -m -i "$work/vol.img" "$work/tree" ::
    run 0 mmd -i "$work/vol.img" ::/empty "::/An empty one"
    before=$(sha256sum <"$work/vol.img")
    serve "$work/vol.img" "$work/m" -o ro
    same "FAT$type $kib $options" "$work/tree" "$work/m/tree"
    is "$(printf 'An empty one\nempty\ntree')" ls "$work/m"
    holds "times are mtools' ones" python3 - "$work/tree" "$work/m/tree" <<'P'
import os, sys
for where, _, names in os.walk(sys.argv[1]):
    for name in names:
        one = os.path.join(where, name)
        other = sys.argv[2] + one[len(sys.argv[1]):]
        assert abs(os.stat(one).st_mtime - os.stat(other).st_mtime) <= 2, other
P
    release "$work/m"
    [ "$(sha256sum <"$work/vol.img")" = "$before" ] || fail "ro changed FAT$type $options"

    # written to, it is still everybody's
    serve "$work/vol.img" "$work/m"
    echo new >"$work/m/a new file" || fail "FAT$type $kib $options: no new file"
    release "$work/m"
    run 0 fatward-inspect check "$work/vol.img"
    case $options in
    *"-f 3"*) ;; # fsck.fat knows no third FAT
    *) sound "$work/vol.img" ;;
    esac
    is new mtype -i "$work/vol.img" "::a new file"
    rm "$work/vol.img"
done <<'T'
12 15360 -s 8
12 16384 -s 16 -f 1
12 16384 -S 1024 -s 8
12 24576 -S 4096 -s 2
12 32768 -s 64 -f 3
16 16384 -s 2
16 32768 -s 8 -f 1
16 65536 -S 2048 -s 4
16 65536 -S 4096 -s 1
16 261120 -s 64 -r 1024
16 131072 -s 16 -a
32 65536 -s 1
32 65536 -s 1 -f 1
32 131072 -s 1 -R 64 -b 12
32 524288 -S 4096 -s 1
32 69632 -s 1 -f 3 -a
T
