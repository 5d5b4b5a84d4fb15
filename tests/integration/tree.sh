# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Shared by the tests that carry a tree of thousands of files through a mount, after
# lib.sh.

export MTOOLS_SKIP_CHECK=1 # else mtools reads no mounted FAT16
tree=$(dirname "$0")/make-tree

# same SENTENCE DIR DIR
same()
{
    holds "$1" diff -r "$2" "$3"
}

# tree_survives TYPE FILES KIB [MKFS-OPTION...]
tree_survives()
{
    type=$1 files=$2 kib=$3
    shift 3
    needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 mcopy
    make_image vol.img "$type" "$kib" "$@"
    mkdir "$work/tree" || exit 99
    run 0 "$tree" make "$work/tree" "$files" 1

    serve "$work/vol.img" "$work/m"
    run 0 cp -a "$work/tree/." "$work/m/"
    same "what was copied in is there" "$work/tree" "$work/m"
    release "$work/m"
    sound "$work/vol.img"

    serve "$work/vol.img" "$work/m"
    same "a new server finds it" "$work/tree" "$work/m"
    run 0 "$tree" change "$work/m" 2
    run 0 "$tree" change "$work/tree" 2
    same "both trees changed alike" "$work/tree" "$work/m"
    release "$work/m"
    sound "$work/vol.img"

    serve "$work/vol.img" "$work/m" -o ro
    same "a new server finds the changes" "$work/tree" "$work/m"
    release "$work/m"

    mkdir "$work/back" || exit 99
    LC_ALL=C.UTF-8 run 0 mcopy -s -Q -n -i "$work/vol.img" '::*' "$work/back/"
    # mtools knows no names outside the BMP
    rm -rf "$work/back/beyond" "$work/tree/beyond"
    same "mtools reads it byte for byte" "$work/tree" "$work/back"
}

# The tree in the current directory, a mount of $work/vol.img, is the same in the next.
outlives_unmounting()
{
    cp -r . "$work/copy"
    cd "$work" || exit 99
    release "$work/m"
    sound "$work/vol.img"
    serve "$work/vol.img" "$work/m" -o ro
    same "all is there after a remount" "$work/copy" "$work/m"
    release "$work/m"
}
