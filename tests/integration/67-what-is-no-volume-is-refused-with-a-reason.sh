#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What can be wrong on the command line: each is a message and an exit status other
# than 0, at once, and nothing is mounted. An image that is in use is refused to others.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat timeout

make_image vol.img 16 16384
mkdir "$work/m" "$work/other" || exit 99
: >"$work/empty"
echo "this is no volume" >"$work/text"
head -c 1000000 /dev/urandom >"$work/random"
head -c 1000000 /dev/zero >"$work/zeros"
head -c 400 "$work/vol.img" >"$work/cut"
head -c 512 "$work/vol.img" >"$work/head"
cp "$work/vol.img" "$work/unreadable"
ln -s nowhere "$work/dangling"
ln -s vol.img "$work/link"

# wrong REGEX ARGUMENT...: refused, quickly, with a message, nothing is mounted
wrong()
{
    regex=$1
    shift
    timeout 20 fatward "$@" >"$work/out" 2>"$work/err"
    status=$?
    [ "$status" -ne 0 ] && [ "$status" -lt 124 ] || fail "status $status: fatward $*"
    [ -s "$work/err" ] || fail "no message: fatward $*"
    says "$regex"
    ! grep -q " $work/m " /proc/self/mountinfo || fail "mounted: fatward $*"
}

wrong "usage|IMAGE"
wrong "usage|DIR" "$work/vol.img"
wrong "one image and one directory" "$work/vol.img" "$work/m" "$work/other"
wrong "No such file" "$work/missing" "$work/m"
wrong "No such file" "$work/dangling" "$work/m"
wrong "No such file" "$work/vol.img" "$work/missing"
wrong "ot a directory" "$work/vol.img" "$work/text"
wrong "regular|device|directory" "$work/m" "$work/other"
wrong "regular|device|seek" /dev/null "$work/m"
mkfifo "$work/pipe"
for name in /dev/null "$work/pipe"; do
    run 8 timeout 20 fatward-inspect check "$name"
    says "neither a regular file nor a block device"
done
for name in empty text random zeros cut head; do
    before=$(sha256sum <"$work/$name")
    wrong "$name: .*(FAT|sector|larger|small|bytes)" "$work/$name" "$work/m"
    wrong "$name: .*(FAT|sector|larger|small|bytes)" "$work/$name" "$work/m" -o ro
    run 8 fatward-inspect check "$work/$name"
    timeout 20 fatward-inspect info "$work/$name" >"$work/out" 2>"$work/err" && fail "info $name"
    [ -s "$work/err" ] || fail "info $name: no message"
    [ "$(sha256sum <"$work/$name")" = "$before" ] || fail "$name was changed"
done
# names that would drive a terminal, or pass for a line of another program
odd=$(printf 'two\nlines\033[2J')
cp "$work/text" "$work/$odd"
wrong "two.lines.\[2J: .*not a FAT" "$work/$odd" "$work/m"
wrong "two.lines.\[2Jno: No such file" "$work/${odd}no" "$work/m"
wrong "unknown" "$work/vol.img" "$work/m" -o nonsense
wrong "unknown|option" "$work/vol.img" "$work/m" --nonsense
wrong "number" "$work/vol.img" "$work/m" -o uid=someone
wrong "mask" "$work/vol.img" "$work/m" -o umask=999
wrong "fsname=': .*empty" "$work/vol.img" "$work/m" -o fsname=
wrong "subtype=': .*empty" "$work/vol.img" "$work/m" -o subtype=
sound "$work/vol.img"

# in use: a second mount, for writing or not, and a check, by any name of the image
serve "$work/vol.img" "$work/m"
for image in vol.img link; do
    timeout 20 fatward "$work/$image" "$work/other" >"$work/out" 2>"$work/err"
    status=$?
    [ "$status" -ne 0 ] && [ "$status" -lt 124 ] || fail "mounted twice: status $status"
    says "in use|locked|busy|mounted"
    run 8 fatward-inspect check "$work/$image"
    says "in use|locked|busy|mounted"
done
refused "in use|locked|busy|mounted" timeout 20 fatward -o ro "$work/vol.img" "$work/other"
echo still >"$work/m/file" || fail "the first mount is disturbed"
release "$work/m"
sound "$work/vol.img"

# two readers get along, and keep a writer out
serve "$work/vol.img" "$work/m" -o ,ro,
run 0 fatward-inspect check "$work/vol.img"
run 0 fatward "$work/vol.img" "$work/other" -o ro
is still cat "$work/other/file"
refused "in use|locked|busy|mounted" timeout 20 fatward "$work/vol.img" "$work/other"
run 0 umount.fuse.fatward "$work/other"
refused "Read-only" touch "$work/m/new"
release "$work/m"

# an image that may not be written is mounted read-only, and says so
chmod 444 "$work/vol.img"
mount --bind "$work/vol.img" "$work/vol.img" && mount -o remount,bind,ro "$work/vol.img"
serve "$work/vol.img" "$work/m"
grep -qi 'read-only' "$work/server.log" || { cat "$work/server.log" && fail "nothing was said"; }
is still cat "$work/m/file"
refused "Read-only" touch "$work/m/new"
release "$work/m"
