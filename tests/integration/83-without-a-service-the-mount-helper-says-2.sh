#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-mount where no service is up: status 2 and nothing else has it; only the
# type fatward runs the program without the service's jail, and says so.
. "$(dirname "$0")/mount-helper.sh"

# mount(8) finds it by the name of the type
mkdir "$work/bin"
for name in mount.fuse.vfat mount.fuse.msdos mount.fuse.fat mount.fatward mount.fuse.fatward; do
    ln -s "$(command -v fatward-mount)" "$work/bin/$name"
done

for type in vfat msdos fat; do
    run 2 "$work/bin/mount.fuse.$type" "$work/img" "$m" -o rw
    says "no service for $type: nobody listens at $sockets/$type"
    holds "it runs nothing" sh -c "! grep -q running '$work/err'"
done
: >"$sockets/vfat"
run 2 "$work/bin/mount.fuse.vfat" "$work/img" "$m"
rm "$sockets/vfat"
python3 -c "
import socket
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind('$sockets/vfat')"
run 2 "$work/bin/mount.fuse.vfat" "$work/img" "$m"

# a name that can't be a socket's is no missing service
run 1 fatward-mount -t vfat/../x "$work/img" "$m"
says "not the name of a service"
run 1 fatward-mount -t fuse. "$work/img" "$m"
run 1 fatward-mount -t .. "$work/img" "$m"
run 1 fatward-mount "$work/img" "$m"
says "type is missing"
run 1 fatward-mount -t vfat "$work/img"
run 1 fatward-mount -t vfat "$work/img" "$m" more
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=0
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=601
run 1 fatward-mount -t vfat "$work/img" "$m" -x
run 1 fatward-mount -t vfat -- -img "$m"

# the type fatward
run 2 "$work/bin/mount.fatward" "$work/img" "$m" -o service,ro
says "no service for fatward"
"$work/bin/mount.fatward" "$work/img" "$m" -o ro >"$work/out" 2>"$work/err"
program=$(sed -n 's/.*: running \(.*\) without the service.s jail$/\1/p' "$work/err")
[ -n "$program" ] || fail "what runs instead is not named"
case ${program%/*} in
/bin | /usr/bin | /sbin | /usr/sbin) exit 0 ;; # the folder can't be put aside
esac
umount -l "$m" 2>/dev/null

# a stand-in for the program says who runs it, and how
mkdir -p "${program%/*}" && mount -t tmpfs tmpfs "${program%/*}" || exit 99
cat >"$program" <<'END'
#!/bin/sh
grep -E '^([UG]id|Groups|CapEff|CapPrm|SigBlk):' /proc/self/status | tr -s '\t ' ' '
ls /proc/self/fd | wc -l
echo "umask $(umask) marked ${MARK:-not}"
printf '%s|' "$@"
END
chmod 755 "$program"
user_program
ln -s fatward-mount "$work/dev/mount.fatward"
chown 65534 "$m"
export MARK=yes
umask 027
run 0 as_user "$work/dev/mount.fatward" "$work/img" "$m" -n -o rw,quiet,umask=7 \
    7<"$work/img"
says "^4$" # descriptors of ls(1): three, and the folder's
says "running $program without"
says "^Uid: 65534 65534 65534 65534$"
says "^Gid: 65534 65534 65534 65534$"
says "^CapPrm: 0000000000000000$"
says "^CapEff: 0000000000000000$"
says "^SigBlk: 0000000000000000$"
says "^umask 0027 marked yes$"
says "^$work/img\|$m\|-o\|rw,quiet,umask=7\|$"
run 1 as_user "$work/dev/mount.fatward" "$work/img" "$m" -o service-not
says "option service-not is unknown, so only for root"
run 0 "$work/bin/mount.fatward" "$work/img" "$m" -o service-not
says "^$work/img\|$m\|-o\|service-not\|$"

# a service that is up is asked, and its refusal is final
rm -f "$sockets/vfat"
plays greet bye=1
mv "$sockets/vfat" "$sockets/fatward"
run 1 "$work/bin/mount.fatward" "$work/img" "$m"
says "the server for fatward failed"
ended
