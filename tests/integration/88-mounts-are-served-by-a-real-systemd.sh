#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The installed project in a real systemd: mount(8), fstab, an ordinary user, umount(8)
# and a power-off. A system call that the unit refuses kills the server here.
. "$(dirname "$0")/tools.sh"
guest=$(dirname "$0")/systemd-guest
reason=$("$guest" --check) || { echo "SKIP: $reason" && exit 77; }
needs cmake mkfs.fat fsck.fat mcopy losetup

build=$(dirname "$(command -v fatward)")/..
run 0 env DESTDIR="$work/tree" cmake --install "$build"
mkdir -p "$work/tree/etc/systemd/system/fatward@.service.d" \
    "$work/tree/etc/systemd/system/fatward.socket.d" \
    "$work/tree/etc/systemd/system/sockets.target.wants" "$work/shared"
printf '[Service]\nSystemCallErrorNumber=kill\nEnvironment=FATWARD_SANDBOX_KILL=1\n' \
    >"$work/tree/etc/systemd/system/fatward@.service.d/strict.conf"
printf '[Socket]\nSocketMode=0222\n' \
    >"$work/tree/etc/systemd/system/fatward.socket.d/everybody.conf"
units=$(sed -n 's/^FAT_SYSTEMD_UNIT_DIR:PATH=//p' "$build/CMakeCache.txt")
ln -s "$units/fatward.socket" "$work/tree/etc/systemd/system/sockets.target.wants/"

for name in boot one two user off killed; do
    run 0 mkfs.fat -F 32 -C "$work/shared/$name.img" 70000
done
chown 1000:1000 "$work/shared/user.img"
chmod 711 "$work" "$work/shared"
cp -r "$(dirname "$0")/../../engine" "$work/shared/tree"
run 0 mkfs.fat -F 16 -C "$work/device.img" 20000
loop=$(losetup -f --show "$work/device.img" 2>/dev/null) ||
    { echo "SKIP: no loop device can be had" && exit 77; }
trap 'losetup -d "$loop"; rm -rf "$work"' EXIT

cat >"$work/tree/etc/fstab" <<T
/guest-out/boot.img /mnt/boot fuse.vfat nofail,uid=1000,gid=1000 0 0
/guest-out/user.img /mnt/user fuse.vfat noauto,user 0 0
T
mkdir -p "$work/tree/mnt/boot" "$work/tree/mnt/user" "$work/tree/mnt/one" \
    "$work/tree/mnt/two"
chown 1000:1000 "$work/tree/mnt/user"
echo "loop=$loop" >"$work/shared/settings"

cat >"$work/script" <<'S'
. ./settings
problem()
{
    echo "FAILED: $*"
    journalctl --boot --no-pager --unit='fatward*' --unit='mnt-*' | tail -n 40
    exit 1
}
servers()
{
    systemctl list-units --all --plain --no-legend --no-pager 'fatward@*' | cut -d ' ' -f 1
}
# within SECONDS COUNT: so many servers are left
count()
{
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ "$(servers | wc -l)" -ne "$1" ] || return 0
        sleep 0.1
    done
    problem "$(servers | wc -l) servers instead of $1"
}
as_user()
{
    setpriv --reuid 1000 --regid 1000 --clear-groups "$@"
}
fill()
{
    cp -r tree "$1" && diff -r tree "$1/tree" && mv "$1/tree" "$1/moved" &&
        rm -r "$1/moved/volume" && echo more >>"$1/moved/CMakeLists.txt" &&
        truncate -s 5M "$1/hole" && sync "$1/hole" && df "$1" >/dev/null
}
sound() # IMAGE
{
    fsck.fat -n "$1" >checked 2>&1 || { cat checked && problem "$1 is damaged"; }
    fatward-inspect check "$1" >checked 2>&1 || { cat checked && problem "$1 is damaged"; }
}

# fstab, at boot
for try in 1 2 3 4 5 6 7 8 9 10; do
    mountpoint -q /mnt/boot && break
    sleep 0.2
done
mountpoint -q /mnt/boot || problem "the line of fstab was not mounted"
count 1
as_user touch /mnt/boot/mine || problem "uid= of the line does not hold"
fill /mnt/boot || problem "writing"
systemctl stop mnt-boot.mount || problem "mnt-boot.mount could not be stopped"
count 0
sound boot.img

# by hand, two at once, one of them a device
mount -t fuse.vfat one.img /mnt/one || problem "mount"
mount -t fuse.msdos "$loop" /mnt/two || problem "mount of a device"
count 2
# A server waits a while for the one before it; so both at once.
mount -t fuse.vfat one.img /mnt/boot 2>twice & again=$!
! mount -t fuse.vfat "$loop" /mnt/user 2>twice.too || problem "one device was mounted twice"
! wait $again || problem "one image was mounted twice"
! mount -t fuse.vfat /etc/passwd /mnt/boot 2>text || problem "a text was mounted"
count 2
! mountpoint -q /mnt/boot && ! mountpoint -q /mnt/user || problem "a refused mount is there"
for unit in $(servers); do
    pid=$(systemctl show -P MainPID "$unit")
    grep -q '^CapBnd:.0*$' /proc/$pid/status && grep -q '^CapEff:.0*$' /proc/$pid/status &&
        grep -q '^NoNewPrivs:.1' /proc/$pid/status && grep -q '^Seccomp:.2' /proc/$pid/status ||
        problem "$unit is not confined"
    [ "$(awk '/^Uid:/ { print ($2 >= 61184 && $2 <= 65519) }' /proc/$pid/status)" = 1 ] ||
        problem "$unit has no dynamic user"
    for fd in /proc/$pid/fd/*; do
        readlink $fd
    done | sed 's/socket:.*/log/' | sort | tr '\n' ' ' >>descriptors
    echo >>descriptors
done
fill /mnt/one & one=$!
fill /mnt/two || problem "writing to a device"
wait $one || problem "writing"
umount /mnt/one /mnt/two || problem "umount"
# No waiting: when umount returns, it is on the medium.
sound one.img
sound "$loop"
count 0

# an ordinary user, through a line with "user"
as_user mount /mnt/user || problem "an ordinary user can not mount"
count 1
as_user touch /mnt/user/mine || problem "an ordinary user can not write to his mount"
[ "$(as_user stat -c %u /mnt/user/mine)" = 1000 ] || problem "his files are not his"
as_user umount /mnt/user || problem "an ordinary user can not unmount"
count 0
sound user.img

# as with "systemctl rescue": what is not needed there is stopped, but no server
mount -t fuse.vfat one.img /mnt/one || problem "mount"
units=/run/systemd/system
printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\nAllowIsolate=yes\n' \
    >$units/alone.target
# It is the last to be stopped, whatever that is.
printf '[Unit]\nBefore=%s\n[Service]\nExecStart=/bin/sleep infinity\n' "$(servers)" \
    >$units/other.service
: >/etc/fstab # or sysinit.target wants that mount back
# systemd 252 may keep what belongs to a socket that goes with it
systemctl daemon-reload && systemctl start other && systemctl stop fatward.socket ||
    problem "a service for comparison"
systemctl isolate alone.target || problem "isolate"
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    systemctl -q is-active other || break
    sleep 0.1
done
[ "$try" -lt 20 ] || problem "isolate has stopped nothing"
count 1
echo more >/mnt/one/isolated && [ "$(cat /mnt/one/isolated)" = more ] ||
    problem "isolate has ended a server"
umount /mnt/one || problem "umount"
sound one.img
count 0
systemctl start fatward.socket || problem "the socket does not come back"

# killed while it writes; the dead mount can be taken off
mount -t fuse.vfat -o commit=1 killed.img /mnt/one || problem "mount"
echo synced >/mnt/one/synced && sync /mnt/one/synced || problem "sync"
(while echo more >>/mnt/one/more; do :; done) 2>/dev/null &
cp -r tree /mnt/one 2>/dev/null &
sleep 1.7
kill -KILL "$(systemctl show -P MainPID "$(servers)")"
wait
cp killed.img as-killed.img
umount /mnt/one || problem "a dead mount can not be taken off"
count 0
mount -t fuse.vfat killed.img /mnt/one || problem "mount after a kill"
[ "$(cat /mnt/one/synced)" = synced ] || problem "what was synced is gone"
umount /mnt/one || problem "umount"

! journalctl --boot --no-pager | grep -E 'status=31/SYS|fatward.*code=(dumped|killed), status=[^9]' ||
    problem "a server died"

# the power goes, in good order
mount -t fuse.vfat off.img /mnt/two || problem "mount"
cp -r tree /mnt/two || problem "writing"
S
FATWARD_GUEST_OPTIONS="--bind=$loop" "$guest" "$work/shared" "$work/script" "$work/tree"
status=$?
cd "$work/shared" || exit 99
[ "$status" -eq 0 ] || { cat said && fail "the script in the guest ended with $status"; }

wanted="/dev/fuse $loop /dev/null log log
/dev/fuse /dev/null /guest-out/one.img log log"
[ "$(sed 's/ $//' descriptors | sort)" = "$wanted" ] || { cat descriptors && fail "other descriptors"; }

sound off.img
run 0 fatward-inspect check off.img
mkdir "$work/copy"
run 0 mcopy -s -i off.img ::tree "$work/copy"
run 0 diff -r tree "$work/copy/tree"
# Left over may be some; damaged nothing.
fatward-inspect check as-killed.img >"$work/out" 2>"$work/err"
says '^as-killed.img: 0 damaged, [1-9][0-9]* left over'
