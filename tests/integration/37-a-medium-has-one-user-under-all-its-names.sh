#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A file and the loop devices over it are one medium: whoever comes second is refused,
# by hand as through the mount helper, and a loop device that is only attached is no
# reason to.
. "$(dirname "$0")/mount-helper.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat losetup flock
rm "$work/img"
make_image img 16 16384
attach "$work/img"
one=$loop
attach "$work/img"
two=$loop
mkdir "$work/n"

# by hand: the file, while its loop devices are attached; then these
serve "$work/img" "$m"
run 32 fatward "$one" "$work/n"
says "$one: is also in use as $work/img"
run 32 fatward "$one" "$work/n" -o ro
says "is also in use as $work/img"
release "$m"

# the device, then the file or the other device
serve "$one" "$m"
run 32 fatward "$work/img" "$work/n"
says "$work/img: is also in use as $one"
run 32 fatward "$two" "$work/n"
says "$two: is also in use as $one"

# the helper says so to the server, which asks again, and to the caller in the end
for name in "$work/img" "$two"; do
    plays greet "open=$name@0x82" "open=$name@0" bye=1
    run 1 fatward-mount -t vfat "$name" "$m"
    ended
    is 2 grep -c "^FILE 16 $name" "$work/peer"
    says "$name is also in use as $one"
done
umount -i "$m"
ends 0

# an ordinary user can't look into the device, but sees its mount
serve "$one" "$m"
user_program
mkdir "$work/o" && chown 65534 "$work/o" "$work/img" || exit 99
plays greet "open=$work/img@2" bye=1
run 1 as_user "$user_mount" -t vfat "$work/img" "$work/o"
ended
gave "^FILE 16 "
release "$m"

# nor may he change the file beneath a device that is his to write
minor=$((0x$(stat -c %T "$two")))
mknod -m 666 "$work/dev/card" b 7 "$minor" || exit 99
chown 0 "$work/img" && chmod 644 "$work/img" || exit 99
serve "$work/img" "$m"
plays greet "open=$work/dev/card@2" bye=1
run 1 as_user "$user_mount" -t vfat "$work/dev/card" "$work/o"
ended
gave "^FILE 16 "
release "$m"

# nor even look at that file: the kernel's list of locks has it all the same
mkdir -m 700 "$work/closed" && ln "$work/img" "$work/closed/img" &&
    chmod 600 "$work/img" || exit 99
attach "$work/closed/img"
minor=$((0x$(stat -c %T "$loop")))
mknod -m 666 "$work/dev/closed" b 7 "$minor" &&
    cp "$(command -v fatward)" "$work/dev" || exit 99

# asks FLAGS ERROR: a server that wants to open it gets that
asks()
{
    plays greet "open=$work/dev/closed@$1" bye=1
    run 1 as_user "$user_mount" -t vfat "$work/dev/closed" "$work/o"
    ended
    gave "^FILE $2 $work/dev/closed"
}
serve "$work/img" "$m"
asks 2 16
says "is also in use as $work/closed/img"
asks 0 16
run 32 as_user "$work/dev/fatward" "$work/dev/closed" "$work/o"
says "is also in use as $work/closed/img"
release "$m"
serve "$work/img" "$m" -o ro
asks 2 16
asks 0 0
release "$m"
asks 2 0

# who waits for a lock has none
flock -F -s "$work/img" sleep 60 &
reader=$!
servers="$servers $reader"
until grep -q "FLOCK .* $reader " /proc/locks; do sleep 0.02; done
flock "$work/img" true &
waiting=$!
servers="$servers $waiting"
until grep -q -- "-> FLOCK .* $waiting " /proc/locks; do sleep 0.02; done
asks 0 0
dismiss "$reader"
dismiss "$waiting"

# a device that is locked, with the file his and the device not
chown 65534 "$work/img"
flock -F "$one" sleep 60 &
claim=$!
servers="$servers $claim"
until grep -q "FLOCK .* $claim " /proc/locks; do sleep 0.02; done
plays greet "open=$work/img@2" bye=1
run 1 as_user "$user_mount" -t vfat "$work/img" "$work/o"
ended
gave "^FILE 16 "
says "is also in use as $one"
dismiss "$claim"

# whoever has claimed it need not be ours
python3 -c "
import os, sys, time
os.open('$two', os.O_RDONLY | os.O_EXCL)
open('$work/claimed', 'w')
time.sleep(60)" &
claim=$!
servers="$servers $claim"
until [ -e "$work/claimed" ]; do sleep 0.02; done
run 32 fatward "$work/img" "$work/n"
says "is also in use as $two"

# who is just leaving is waited for
(sleep 1 && kill "$claim") &
serve "$work/img" "$m"
dismiss "$claim"
release "$m"
serve "$one" "$m"
(sleep 1 && umount -i "$m") &
run 0 fatward "$work/img" "$work/n"
ends 0
run 0 umount.fuse.fatward "$work/n"

# readers don't mind readers, but writers
serve "$work/img" "$m" -o ro
run 32 fatward "$one" "$work/n"
says "is also in use as $work/img"
losetup -d "$two"
two=$(losetup -r -f --show "$work/img") && loops="$loops $two"
run 0 fatward "$two" "$work/n" -o ro
run 0 umount.fuse.fatward "$work/n"
release "$m"
serve "$two" "$m" -o ro
run 0 fatward "$work/img" "$work/n" -o ro
run 0 umount.fuse.fatward "$work/n"
release "$m"

# other parts of the same file are other media
cat "$work/img" "$work/img" >"$work/both"
half=$(stat -c %s "$work/img")
one=$(losetup -f --show --sizelimit "$half" "$work/both") && loops="$loops $one"
two=$(losetup -f --show -o "$half" "$work/both") && loops="$loops $two"
serve "$one" "$m"
run 0 fatward "$two" "$work/n"
echo two >"$work/n/two"
run 32 fatward "$work/both" "$work/o"
says "is also in use as /dev/loop"
run 0 umount.fuse.fatward "$work/n"
release "$m"

# a name that leads nowhere now is nobody's
attach "$work/img"
serve "$loop" "$m"
cp "$work/img" "$work/copy" && mv "$work/copy" "$work/img" || exit 99
run 0 fatward "$work/img" "$work/n"
run 0 umount.fuse.fatward "$work/n"
release "$m"
