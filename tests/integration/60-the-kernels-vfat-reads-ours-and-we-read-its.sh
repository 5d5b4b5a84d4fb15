#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernel's own driver, run beside this machine's kernel, reads what we wrote, writes
# to it, and fills volumes of its own, which we read and change; and then both once
# more. Names, contents and times agree, and fsck.fat finds nothing after either.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3
kernel=$(dirname "$(realpath "$0")")/kernel-vfat
tree=$(realpath "$tree")
reason=$("$kernel" fetch) || { echo "SKIP: $reason" && exit 77; }

# in_kernel COMMAND: for each image in turn, mounted on ./m; $name is its name
in_kernel()
{
    mkdir -p "$work/guest"
    {
        echo "set -eu; mkdir m; export LC_ALL=C.UTF-8"
        letters="b c d e f g h i j k"
        set -- "$1" "$work"/*.img
        command=$1
        shift
        for image in "$@"; do
            letter=${letters%% *} letters=${letters#* }
            echo "name=$(basename "$image" .img)"
            echo "mount -t vfat -o utf8=1,tz=UTC,shortname=mixed /dev/ubd$letter m"
            echo "$command"
            echo "umount m"
        done
    } >"$work/in_kernel"
    "$kernel" run "$work/guest" "$work/in_kernel" "$work"/*.img && return 0
    cat "$work/guest/said"
    fail "the kernel did not get through"
}

# agree WHO: what the kernel listed is what should be there
agree()
{
    for image in "$work"/*.img; do
        name=$(basename "$image" .img)
        holds "$1: $name" diff "$work/$name.list" "$work/guest/$name.list"
    done
}

# in_us COMMAND...: each image in turn mounted on $work/m, its name in $name
in_us()
{
    for image in "$work"/*.img; do
        name=$(basename "$image" .img)
        serve "$image" "$work/m"
        "$@"
        release "$work/m"
        sound "$image"
    done
}

compare()
{
    "$tree" list "$work/m" >"$work/now" || fail "could not read $name"
    holds "we read $name" diff "$work/$name.list" "$work/now"
}

change_and_list()
{
    run 0 "$tree" change "$work/m" 12
    "$tree" list "$work/m" >"$work/$name.list"
}

fill_ours()
{
    case $name in
    ours*) run 0 cp -a "$work/tree/." "$work/m/" ;;
    esac
    "$tree" list "$work/m" >"$work/$name.list"
}

mkdir "$work/tree" || exit 99
run 0 "$tree" make "$work/tree" 500 11
while read -r volume type kib options; do
    # shellcheck disable=SC2086 # a list
    {
        make_image "ours-$volume.img" "$type" "$kib" $options
        make_image "theirs-$volume.img" "$type" "$kib" $options
    }
done <<'T'
12 12 61440 -s 32
16 16 65536 -S 4096 -s 1
32 32 66560 -s 1
32small 32 32768 -s 2
T
in_us fill_ours

# the kernel reads ours, and fills its own
in_kernel "
    case \$name in theirs*) cp -a '$work/tree/.' m/ ;; esac
    python3 '$tree' list m >\$OUT/\$name.list
    [ \$name != ours-16 ] || rm -rf m/beyond"
for image in "$work"/theirs*.img; do
    name=$(basename "$image" .img)
    "$tree" list "$work/tree" >"$work/$name.list"
done
agree "the kernel reads what we wrote"
sed -i '/beyond/d' "$work/ours-16.list"
in_us compare

# both change the other's
in_kernel "
    python3 '$tree' change m 13 no
    python3 '$tree' list m >\$OUT/\$name.list"
cp "$work"/guest/*.list "$work/"
in_us compare
in_us change_and_list
in_kernel "python3 '$tree' list m >\$OUT/\$name.list"
agree "the kernel reads what we changed"
