#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The installed units in a real systemd, with a program in the place of fatward that
# tries what a taken-over server would.
. "$(dirname "$0")/tools.sh"
guest=$(dirname "$0")/systemd-guest
reason=$("$guest" --check) || { echo "SKIP: $reason" && exit 77; }
needs cmake python3

build=$(dirname "$(command -v fatward)")/..
run 0 env DESTDIR="$work/tree" cmake --install "$build"
program=$(sed -n 's/^ExecStart=//p' "$build/units/fatward@.service")
cp "$(command -v jail-probe)" "$work/tree$program" || exit 99
sockets=$(sed -n 's/^ListenSequentialPacket=\(.*\)\/vfat$/\1/p' "$build/units/fatward.socket")

mkdir "$work/shared"
cat >"$work/shared/connect" <<'P'
import socket, sys, time

with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
    connection.connect(sys.argv[1])
    connection.send(sys.argv[2].encode())
    connection.settimeout(20)
    try:
        connection.recv(1)
    except ConnectionResetError:
        pass
P
echo "sockets=$sockets" >"$work/shared/settings"
cat >"$work/script" <<'S'
. ./settings
ask() # TYPE WORD
{
    python3 ./connect "$sockets/$1" "$2"
}
instances()
{
    systemctl list-units --all --plain --no-legend --no-pager 'fatward@*' | cut -d ' ' -f 1
}
systemd-analyze verify fatward.socket fatward@1.service >verify 2>&1
echo $? >>verify
systemctl enable --now fatward.socket || exit 1
[ -L /etc/systemd/system/sockets.target.wants/fatward.socket ] || exit 2
stat -c %a "$sockets"/* | sort -u >modes

ask vfat probe
ask msdos fail
sleep 0.5
instances >left
journalctl --boot --no-pager --output=cat --identifier=fatward >first

ask fat stay &
ask fatward stay &
for try in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.3
    [ "$(journalctl --boot --no-pager --identifier=fatward | grep -c 'was all')" -lt 4 ] || break
done
instances >two
for unit in $(instances); do
    pid=$(systemctl show -P MainPID "$unit")
    sed -n 's/^\(Cap[A-Z][a-z]*\|NoNewPrivs\|Seccomp\|Uid\):\t/\1 /p' /proc/$pid/status >>process
    awk '/core file|open files/ { print "limit", $(NF - 1) }' /proc/$pid/limits >>process
    for name in user net mnt ipc uts cgroup; do
        [ "$name" = cgroup ] || [ "$(readlink /proc/$pid/ns/$name)" != "$(readlink /proc/1/ns/$name)" ] ||
            echo "namespace $name" >>process
    done
    find "/proc/$pid/root" -xdev -type f >>files
    awk '{ print $5, $6 }' /proc/$pid/mountinfo >>mounts
    systemctl show -P Slice -P MemoryMax -P TasksMax -P Conflicts "$unit" >>properties
done
# "rescue" leaves mounts alone, and so must it leave their servers
systemctl isolate --no-block rescue.target
sleep 1
instances >isolated
S
"$guest" "$work/shared" "$work/script" "$work/tree"
status=$?
cd "$work/shared" || exit 99
[ "$status" -eq 0 ] || { cat said && fail "the script in the guest ended with $status"; }

# prints WANTED FILE
prints()
{
    [ "$(cat "$2")" = "$1" ] || { cat "$2" && fail "$2: not $1"; }
}

prints 0 verify
prints 220 modes
prints "" left

grep -q "^that was all" first || { cat first journal && fail "the probe did not finish"; }
! grep "WENT THROUGH" first || fail "a server could do that"
grep -q "^descriptors: 0 1 2 3$" first || fail "there are more descriptors than needed"

[ "$(wc -l <two)" -eq 2 ] || fail "no server of its own for each connection"
[ "$(grep -c '^Cap.* 0000000000000000$' process)" -eq 10 ] || { cat process && fail "capabilities"; }
[ "$(grep -c '^NoNewPrivs 1$' process)" -eq 2 ] || fail "no_new_privs is not set"
[ "$(grep -c '^Seccomp 2$' process)" -eq 2 ] || fail "there is no system call filter"
[ "$(awk '/^Uid/ && $2 >= 61184 && $2 <= 65519' process | wc -l)" -eq 2 ] ||
    { cat process && fail "two servers don't have dynamic users"; }
[ "$(grep -c '^limit \(0\|64\)$' process)" -eq 4 ] || { cat process && fail "limits"; }
! grep "^namespace" process || fail "a namespace is the machine's"
! grep ' rw' mounts | grep -v '^/proc rw' || fail "something can be written to"
[ "$(sort -u properties | tr '\n' ' ')" = " 1073741824 80 system.slice " ] ||
    { cat properties && fail "properties"; }

[ "$(cat isolated)" = "$(cat two)" ] || fail "isolating another target ended the servers"

# Shutdown: what is mounted goes first; the servers that nobody unmounted are left to the
# very end, which the journal may no longer see.
awk '/Reached target umount.target/ { unmounted = 1 }
    /told to leave/ && !unmounted { early = 1 }
    /Stopp(ed|ing) fatward@/ { early = 1 }
    END { exit early || !unmounted }' journal ||
    { cat journal && fail "the servers did not outlive the unmounting"; }
