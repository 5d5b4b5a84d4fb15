#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Volumes damaged at random, the same ones in every run, are mounted, used and
# unmounted. If FATWARD_CORPUS names a folder of broken volumes, *.img.gz at any depth
# and *.xxd.gz as xxd writes them, these as well.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/damaged.sh"
needs fatward umount.fuse.fatward mkfs.fat python3 timeout

mkdir "$work/images" || exit 99
good_volumes
for image in "$work"/good/*.img; do
    run 0 "$(dirname "$0")/make-damage" "$image" "$work/images" "${FATWARD_ROUNDS:-30}"
done
for image in "$work"/images/*.img; do
    damaged_volume "$image"
done
echo "count: $(ls "$work/images" | grep -c img) images tried"

[ -n "${FATWARD_CORPUS:-}" ] || exit 0
needs gzip xxd
find "$FATWARD_CORPUS" -name '*.img.gz' -o -name '*.xxd.gz' | sort >"$work/list"
[ -s "$work/list" ] || fail "no volume in $FATWARD_CORPUS"
while read -r packed; do
    echo "$packed"
    case $packed in
    *.xxd.gz) gzip -dc "$packed" | xxd -r >"$work/volume.img" ;;
    *) gzip -dc "$packed" >"$work/volume.img" ;;
    esac
    damaged_volume "$work/volume.img"
done <"$work/list"
echo "count: $(grep -c ^ "$work/list") images tried"
