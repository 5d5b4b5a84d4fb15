#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward started with standard input, output and error closed: what it says goes into no
# image, and what it has opened is still there when it has gone to the background.
. "$(dirname "$0")/lib.sh"
needs mkfs.fat fsck.fat

make_image vol.img 12 1440
mkdir "$work/m" || exit 99

# what is said of a volume that is cut short
head -c 1000000 "$work/vol.img" >"$work/short.img"
cp "$work/short.img" "$work/before.img"
fatward "$work/short.img" "$work/m" 2>&- || fail "it was not mounted"
umount.fuse.fatward "$work/m" || fail "it was not unmounted"
cmp "$work/short.img" "$work/before.img" || fail "the image has got what was said"

for closed in '<&-' '2>&-' '<&- >&- 2>&-'; do
    eval "fatward '$work/vol.img' '$work/m' $closed" || fail "it was not mounted, $closed"
    echo "$closed" >"$work/m/file" || fail "nothing can be written, $closed"
    umount.fuse.fatward "$work/m" || fail "it was not unmounted, $closed"
    fatward "$work/vol.img" "$work/m" -o ro || fail "it can't be mounted again"
    [ "$(cat "$work/m/file")" = "$closed" ] || fail "what was written is lost, $closed"
    eval "umount.fuse.fatward '$work/m' $closed" || fail "it was not unmounted, $closed"
done
sound "$work/vol.img"
