#!/bin/sh
# SPDX-License-Identifier: MIT
#
# With SOURCE_DATE_EPOCH an image depends on names, contents and times of the folder
# alone: not on when it is made, nor on the order in which the folder was filled.
. "$(dirname "$0")/tools.sh"
needs fsck.fat mcopy cmp

fill() # FOLDER NAME...: in that order
{
    folder=$1
    shift
    mkdir -p "$folder/sub"
    for name in "$@"; do
        echo "this is $name" >"$folder/$name"
        echo "below, $name" >"$folder/sub/$name"
    done
}

fill "$work/one" a.txt "a long name.txt" "a long name too.txt" Zebra b
fill "$work/two" b Zebra "a long name too.txt" "a long name.txt" a.txt
for folder in one two; do
    find "$work/$folder" -exec touch -d '2019-01-02 03:04:06' {} +
    touch -d '2040-01-01 00:00:00' "$work/$folder/b" # later than the epoch
done

export SOURCE_DATE_EPOCH=1700000000
for type in 12 16 32; do
    case $type in
    12) size=4M ;;
    16) size=32M ;;
    *) size=40M ;;
    esac
    run 0 fatward-mkimage "$work/1.img" --size=$size --type=$type --label=SAME -d "$work/one"
    # The clock must not matter, nor what was read from the folder before.
    while [ "$(date +%s)" = "$(stat -c %Y "$work/1.img")" ]; do :; done
    run 0 fatward-mkimage "$work/2.img" --size=$size --type=$type --label=SAME -d "$work/two"
    cmp "$work/1.img" "$work/2.img" || fail "FAT$type: two runs differ"
    sound "$work/1.img"
    run 0 env SOURCE_DATE_EPOCH=1700000002 fatward-mkimage "$work/3.img" --size=$size --type=$type \
        --label=SAME -d "$work/one"
    ! cmp -s "$work/1.img" "$work/3.img" || fail "FAT$type: the epoch does not matter"
    rm -f "$work/3.img"

    run 0 mcopy -m -n -i "$work/1.img" ::/b "$work/b"
    [ "$(stat -c %Y "$work/b")" -eq 1700000000 ] || fail "FAT$type: a time behind the epoch"
    run 0 mcopy -m -n -i "$work/1.img" ::/Zebra "$work/Zebra"
    [ "$(stat -c %Y "$work/Zebra")" -eq "$(stat -c %Y "$work/one/Zebra")" ] ||
        fail "FAT$type: a time before the epoch was changed"
    rm -f "$work"/*.img "$work/b" "$work/Zebra"
done

run 64 env SOURCE_DATE_EPOCH=soon fatward-mkimage "$work/1.img" --size=4M
says SOURCE_DATE_EPOCH
