#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An image is sparse, and the disk that it is made on can be full: that is said, and not
# that the volume is too small. What was made is removed.
. "$(dirname "$0")/lib.sh"

mkdir "$work/disk" "$work/folder"
mount -t tmpfs -o size=1m tmpfs "$work/disk" || exit 99

head -c 2000000 /dev/urandom >"$work/folder/file"
run 1 fatward-mkimage "$work/disk/a.img" --size=8M -d "$work/folder"
says 'folder/file: no space left: the disk with the image is full'
[ ! -e "$work/disk/a.img" ] || fail "an image was left behind"

head -c 900K /dev/zero >"$work/disk/much"
run 1 fatward-mkimage "$work/disk/a.img" --size=64M
says 'a.img: the disk that it is written to is full'
[ ! -e "$work/disk/a.img" ] || fail "an image was left behind"
