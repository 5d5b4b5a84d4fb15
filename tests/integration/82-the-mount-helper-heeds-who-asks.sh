#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-mount run by an ordinary user, setuid root: what he may ask for, where he
# may mount, and that it is done with his rights.
. "$(dirname "$0")/mount-helper.sh"
user_program
chown 65534:65534 "$m" && : >"$work/fuse.conf" && chmod 644 "$work/fuse.conf" "$work/img"
[ -e /etc/fuse.conf ] && mount --bind "$work/fuse.conf" /etc/fuse.conf

# user_fails STATUS MESSAGE ARGUMENT...
user_fails()
{
    wanted_status=$1 wanted_message=$2
    shift 2
    run "$wanted_status" as_user "$user_mount" -t fuse.vfat --timeout=2 "$@"
    says "$wanted_message"
}

# the ordinary exchange: his ids, his files
plays greet "open=$work/img@0" "open=$work/img@2" type=1 type=0 name=other \
    "name=$work/img" "mntp=$m" opts=allow_other opts=context=x \
    opts=default_permissions doit=0 bye=0
run 0 as_user "$user_mount" -t fuse.vfat "$work/img" "$m" -o rw,suid
ended
says "suid and dev are only for root"
gave "^SAFT 1 1 0$"
gave "^ARGV\|vfat\|$work/img\|$m\|-o\|rw,uid=65534,gid=65534$"
is "0 13 1 0 1 0 0 1 1 0 0 " sh -c "sed -n 's/^REPL //p; s/^FILE \([0-9]*\) [^af].*/\1/p' '$work/peer' | tr '\n' ' '"
shows " rw,nosuid,nodev,relatime .*- fuse.vfat $work/img rw,user_id=65534,group_id=65534,default_permissions"
gone

# his group may be another of his
plays greet bye=1
run 1 setpriv --reuid 65534 --regid 65534 --groups 65534,77 "$user_mount" \
    -t vfat "$work/img" "$m" -o uid=65534,gid=77
ended
gave "\|uid=65534,gid=77$"

# the server's failure takes his mount off as well
plays greet "ordinary=$m" close
user_fails 1 "is unmounted again" "$work/img" "$m"
nothing_mounted

# words
user_fails 1 "option uid=0 is not yours" "$work/img" "$m" -o uid=0
user_fails 1 "option uid=me is not a number" "$work/img" "$m" -o uid=me
user_fails 1 "option gid=0 is a group" "$work/img" "$m" -o gid=65534,gid=0
user_fails 1 "option allow_other is only for root" "$work/img" "$m" -o allow_other
for word in fsname=/dev/sda subtype=ext4 allow_root auto_unmount context=a; do
    user_fails 1 "option $word is only for root" "$work/img" "$m" -o "$word"
done
for word in fd=3 user_id=0 group_id=0 rootmode=1 setuid=root; do
    user_fails 1 "option $word is not for" "$work/img" "$m" -o "$word"
done
user_fails 1 "has a quote or a backslash" "$work/img" "$m" -o 'a=\,uid=0'
user_fails 1 "has a quote or a backslash" "$work/img" "$m" -o 'uid="0'

# places
mkdir "$work/sticky" "$work/closed" "$work/closed/in" && chmod 1777 "$work/sticky" &&
    chmod 700 "$work/closed" && ln -s m "$work/link" && mkfifo "$work/fifo" || exit 99
user_fails 32 "$work/none: No such file" "$work/img" "$work/none"
user_fails 32 "$work/closed: is not writable" "$work/img" "$work/closed"
user_fails 32 "Permission denied" "$work/img" "$work/closed/in"
user_fails 32 "sticky" "$work/img" "$work/sticky"
user_fails 32 "symbolic link" "$work/img" "$work/link"
user_fails 32 "neither a directory nor a file" "$work/img" "$work/fifo"
user_fails 32 "is not writable" "$work/img" /etc
user_fails 32 "users may not mount|not writable" "$work/img" /proc/self/task
run 32 fatward-mount -t vfat "$work/img" "$work/none"
says "No such file"
echo >"$work/file"
plays greet type=0 name=vfat "mntp=$work/file" bye=1
run 32 fatward-mount -t vfat "$work/img" "$work/file"
says "MNTP of $work/file: Not a directory"
ended

# ... and once more when it is mounted, which may be much later
plays greet type=0 "name=$work/img" "mntp=$m" pause=1 doit=6 bye=1
as_user "$user_mount" -t vfat "$work/img" "$m" >"$work/out" 2>"$work/err" &
helper=$!
until [ "$(grep -c "^REPL 0" "$work/peer")" -eq 3 ]; do sleep 0.02; done
chown 0:0 "$m" && chmod 700 "$m"
wait "$helper"
says "$m: is not writable for you"
ended
gave "^REPL 13$"
nothing_mounted
chown 65534:65534 "$m"

# what the kernel says about it is written with his rights, too
if command -v strace >/dev/null && id nobody >/dev/null 2>&1; then
    plays greet type=0 "name=$work/img" "mntp=$m" opts=max_read=9999999999 doit=6 bye=1
    # it may not be traced by a user: strace stays root
    run 32 strace -f -u nobody -E ASAN_OPTIONS=detect_leaks=0 -e trace=setresuid,write -o "$work/dev/trace" "$user_mount" \
        -t vfat "$work/img" "$m"
    says "the kernel: "
    ended
    holds "root's rights are given up before anything is said" awk '
        /setresuid\(-1, 0, -1\)/ { root = 1 }
        /setresuid\(-1, 65534, -1\)/ { root = 0 }
        /write\(2/ && root { bad = 1 }
        /write\(2/ { said = 1 }
        END { exit bad || !said }' "$work/dev/trace"
fi

# opened with his rights
chmod 600 "$work/img"
plays greet "open=$work/img@0" bye=1
user_fails 1 "$work/img: Permission denied" "$work/img" "$m"
ended
gave "^FILE 13 $work/img$"
chmod 644 "$work/img"

# the socket, and the connection to the kernel, with his rights
plays pause=0
chmod 220 "$sockets/vfat"
user_fails 1 "$sockets/vfat: Permission denied" "$work/img" "$m"
run 1 as_user "$user_mount" -t vfat --check
run 0 fatward-mount -t vfat --check
dismiss "$peer"
plays hello
chmod 600 /dev/fuse
user_fails 1 "/dev/fuse: Permission denied" "$work/img" "$m"
chmod 666 /dev/fuse

# what the administrator grants, and how much of it
if [ -e /etc/fuse.conf ]; then
    chmod 600 "$work/fuse.conf"
    user_fails 1 "/etc/fuse.conf: Permission denied" "$work/img" "$m"
    chmod 644 "$work/fuse.conf"
    echo user_allow_other >"$work/fuse.conf"
    plays greet opts=allow_other type=0 "name=$work/img" "mntp=$m" doit=6 bye=0
    run 0 as_user "$user_mount" -t fuse.vfat "$work/img" "$m" -o allow_other
    ended
    gave "^SAFT 1 1 1$"
    shows "allow_other"
    # one is mounted
    echo "mount_max = 1" >"$work/fuse.conf"
    mkdir "$work/second" && chown 65534 "$work/second"
    plays greet "ordinary=$work/second" bye=1
    user_fails 32 "DOIT of $work/second: Too many users" "$work/img" "$work/second"
    ended
    gave "^REPL 87$"
    gone
fi

# what he leaves behind for a program of root's has no effect
plays greet "ordinary=$m" bye=0
as_user env -i ASAN_OPTIONS="${ASAN_OPTIONS:-}" FUSE_KERN_DEVICE=/dev/null PATH="$work" IFS=x "$user_mount" \
    -t fuse.vfat "$work/img" "$m" <&- >&- 2>&- ||
    fail "without standard descriptors"
ended
shows "fuse.vfat"
gone

# without the setuid bit it says what is missing
chmod 755 "$user_mount"
user_fails 1 "not installed setuid root" "$work/img" "$m"

# through mount(8), by a line in fstab
for_mount_8
if [ -u "$(command -v mount)" ] && [ -e /etc/fstab ]; then
    echo "$work/img $m fuse.vfat user,noauto,nofail,_netdev,comment=x,umask=077 0 0" >"$work/fstab"
    chmod 644 "$work/fstab" && mount --bind "$work/fstab" /etc/fstab || exit 99
    plays greet "open=$work/img@0" "ordinary=$m" bye=0
    run 0 as_user mount "$m"
    ended
    gave "^SAFT 1 1 0$"
    gave "^ARGV\|vfat\|$work/img\|$m\|-o\|rw,noexec,nosuid,nodev,umask=077,uid=65534,gid=65534$"
    shows " rw,nosuid,nodev,noexec,relatime .*- fuse.vfat $work/img rw,user_id=65534,group_id=65534"
fi
