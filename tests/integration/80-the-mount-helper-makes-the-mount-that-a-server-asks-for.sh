#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-mount and a scripted server: the whole exchange, what the mount is like
# afterwards, and what the server has been told.
. "$(dirname "$0")/mount-helper.sh"

# the ordinary exchange
mounts greet "open=$work/img@0x82" type=0 "name=$work/img" "mntp=$m" \
    opts=default_permissions,max_read=65536 mtab=x-foo=1 doit=6 bye=0 -- -o rw,umask=022
gave "^SAFT 1 1 3$"
gave "^FILE 0 argv -$"
gave "^FILE 0 fusedev c$"
gave "^FILE 0 $work/img -$"
gave "^ARGV\|vfat\|$work/img\|$m\|-o\|rw,umask=022$"
is 6 grep -c "^REPL 0$" "$work/peer"
shows " rw,nosuid,nodev,relatime .*- fuse.vfat $work/img rw,user_id=0,group_id=0,default_permissions,max_read=65536$"
gone

# words of mount(8) are not for the server, nor are the helper's own letters
mounts greet "ordinary=$m" bye=0 -- -nv \
    -o noauto,user,nofail,_netdev,x-systemd.foo=1,comment=what,user=you,ro,defaults,service
gave "^ARGV\|vfat\|$work/img\|$m\|-o\|ro$"
says "connected to"
says "DOIT: done"
# ... and ro holds though the server forgot it
shows " ro,nosuid,nodev,"
gone

# neither TYPE, OPTS nor MTAB need come
mounts greet "name=vfat" "mntp=$m@0" doit=0x40f bye=0 --
gave "^ARGV\|vfat\|$work/img\|$m$"
shows " ro,nosuid,nodev,noexec,noatime .*- fuse.vfat vfat ro,"
gone

# suid and dev are root's to give, and only if he did
mounts greet "ordinary=$m" bye=0 -- -o suid,dev
shows " rw,nosuid,nodev,"
gone
mounts greet type=0 name=card "mntp=$m" doit=0 bye=0 -- -o fsname=card
shows " rw,nosuid,nodev,"
gone
mounts greet type=0 name=card "mntp=$m" doit=0 bye=0 -- -o suid,dev,fsname=card
shows " rw,relatime "
gone

# by the name that mount(8) calls it by, and with what it passes
ln -s "$(command -v fatward-mount)" "$work/mount.fuse.vfat"
plays greet "ordinary=$m" bye=0
run 0 "$work/mount.fuse.vfat" "$work/img" "$m" -sn -o rw,nonsense,uid=5
ended
gave "\|-o\|rw,uid=5$"
gone

# relative paths: the source becomes absolute, the mountpoint stays as it was typed
plays greet "open=$work/img" type=0 "name=$work/img" mntp=m/ doit=6 bye=0
cd "$work" || exit 99
run 0 fatward-mount -t vfat img m/
cd / || exit 99
ended
gave "^ARGV\|vfat\|$work/img\|m/$"
is "0" sh -c "grep -c 'REPL [1-9]' '$work/peer'"
shows "fuse.vfat $work/img"
gone

# so it does through a symbolic link, which may go away before it is unmounted
ln -s img "$work/link"
plays greet "ordinary=$m" bye=0
run 0 fatward-mount -t vfat "$work/link" "$m"
ended
gave "^ARGV\|vfat\|$work/img\|$m$"
shows "fuse.vfat $work/img"
gone

# what is open to others is judged by the kernel, whatever the server forgot
mounts greet "open=$work/img@0" type=0 "name=$work/img" "mntp=$m" opts=allow_other doit=6 bye=0 --
shows "default_permissions,allow_other"
gone

# the source may be a block device, opened and claimed
truncate -s 1M "$work/disk"
attach "$work/disk"
plays greet "open=$loop@0x82" "bdev=$loop@0" "bdev=$work/img" type=1 "name=$loop" \
    "mntp=$m" opts=blksize=512 bye=1
run 1 fatward-mount -t vfat "$loop" "$m" -o "journal=$work/img"
ended
gave "^FILE 0 $loop b$"
gave "^FILE 15 $work/img$"
nothing_mounted

# mount(8)'s table is written to if there is one, whatever the caller's limits are
mkdir -p /run/mount && : >/run/mount/utab
plays greet type=0 "name=$work/img" "mntp=$m" mtab=x-foo=1 doit=6 bye=0
printf 'SRC=/x TARGET=/y ROOT=/ OPTS=x-%0600d\n' 1 >/run/mount/utab
run 0 sh -c "ulimit -S -f 1 && trap '' XFSZ && exec fatward-mount -t vfat '$work/img' '$m'"
ended
holds "the table has it" grep -q "SRC=$work/img TARGET=$m .*=x-foo=1\$" /run/mount/utab
gone
: >/run/mount/utab
mounts greet type=0 "name=$work/img" "mntp=$m" mtab=x-foo=1,user=somebody doit=6 bye=0 --
holds "the table has it" grep -q "SRC=$work/img TARGET=$m .*=x-foo=1\$" /run/mount/utab
holds "nobody else is in it" sh -c '! grep somebody /run/mount/utab'
gone
: >/run/mount/utab
mounts greet type=0 "name=$work/img" "mntp=$m" mtab=x-foo=1,-n doit=6 bye=0 --
gone
mounts greet type=0 "name=$work/img" "mntp=$m" mtab=x-foo=1 doit=6 bye=0 -- -n
is "" cat /run/mount/utab

# over a mount whose server has gone
run 32 fatward-mount -t vfat "$work/img" "$m"
says "its server has gone: unmount it first"
gone

# a mountpoint may be a file, if the server wants one
echo >"$work/f"
plays greet type=0 name=vfat "mntp=$work/f@0x8000" doit=6 bye=0
run 0 fatward-mount -t vfat "$work/img" "$work/f"
ended
grep -q " $work/f .* fuse.vfat" /proc/self/mountinfo || fail "not mounted on a file"
umount -i -l "$work/f"

# -f does all but ask
rm -f "$sockets/vfat"
run 0 fatward-mount -t vfat "$work/img" "$m" -fv -o ro,noauto
says "would ask $sockets/vfat to serve $work/img for $m, with ro"
nothing_mounted

# --check, and the others
run 1 fatward-mount -t fuse.vfat --check
plays hello
run 0 fatward-mount -t fuse.vfat --check
dismiss "$peer"
run 0 fatward-mount --help
says "usage:"
run 0 fatward-mount --version
says "^fatward-mount [0-9]"

# through mount(8)
for_mount_8
plays greet "ordinary=$m" bye=0
run 0 mount -t fuse.vfat -o nofail,x-a=b,umask=022 "$work/img" "$m"
ended
gave "^ARGV\|vfat\|$work/img\|$m\|-o\|rw,umask=022$"
shows "fuse.vfat $work/img"
run 1 mount -o remount,ro "$m"
says "option remount is not possible: unmount it and mount it again, or .* remount,bind,ro$"
run 0 mount -o remount,bind,ro "$m"
shows " ro,nosuid,nodev,"
gone
run 1 mount -t fuse.vfat -o remount,ro "$work/img" "$m"
says "option remount is not possible"
plays greet bye=1
run 1 mount -t fuse.vfat "$work/img" "$m"
says "the server for vfat failed"
ended
