#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A server started by hand locks itself in. A library that is loaded with it plays the
# attacker: every try to get at a path, a privilege, another process, a socket or more of
# the kernel is refused by the list of system calls, and without that list what matters
# most is refused all the same.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat setpriv pgrep
unset FATWARD_SANDBOX_KILL # here refusals are to be counted
breakout=$(command -v libjail-breakout.so) || fail "the library was not built"
run 0 fatward -V
says 'sandbox: (seccomp, )?Landlock|sandbox: none'
grep -q 'sandbox: seccomp' "$work/out" ||
    { echo "SKIP: fatward was built without its whole jail" && exit 77; }
m=$work/m
make_image vol.img 16 16384
chmod 666 "$work/vol.img"
echo precious >"$work/victim"
chmod 666 "$work/victim"
chmod 755 "$work"
export JAIL_VICTIM="$work/victim"
exec 9<"$work/victim" # what the caller has open is not for the server

# attacked LACKS OPTION...: serve, with the attacker inside
attacked()
{
    export LD_PRELOAD="$breakout" JAIL_LACKS="$1"
    shift
    serve "$work/vol.img" "$m" "$@"
    unset LD_PRELOAD JAIL_LACKS
    child=$(pgrep -P "$server")
}

# logs REGEX: in the server's log, at most a moment later
logs()
{
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! grep -qE -- "$1" "$work/server.log" || return 0
        sleep 0.1
    done
    cat "$work/server.log"
    fail "the server did not say: $1"
}

# in_status FIELD VALUE: of every thread
in_status()
{
    # shellcheck disable=SC2013
    for value in $(sed -n "s/^$1:[[:space:]]*//p" /proc/"$server"/task/*/status); do
        [ "$value" = "$2" ] || fail "$1 is $value"
    done
}

strike()
{
    kill -URG "$server"
    logs "^that was all"
    [ "$(grep -cE '^(refused|WENT THROUGH): ' "$work/server.log")" -ge 150 ] ||
        fail "not everything was tried"
    is precious cat "$work/victim"
    echo alive >"$m/file" && sync "$m/file" || fail "the server serves no longer"
    is alive cat "$m/file"
}

gone() # the server and its companion
{
    ! kill -0 "$child" 2>/dev/null || fail "the unmounter is still there"
    holds "nothing is mounted" sh -c "! mountpoint -q '$m'"
}

# every wall
attacked ""
logs "sandbox: seccomp, (Landlock [0-9]+|no Landlock to be had), no capabilities"
in_status Seccomp 2
in_status NoNewPrivs 1
for set in Inh Prm Eff Bnd Amb; do
    in_status "Cap$set" 0000000000000000
done
is 0 stat -c %u "/proc/$server/mem"
is "/dev/fuse
/dev/null
$work/server.log
$work/server.log
$work/vol.img
socket" sh -c "for fd in /proc/$server/fd/*; do readlink \$fd; done | sed 's/:\[.*//' | sort"
is "3" sh -c "ls /proc/$child/fd | sed '/^[0-2]$/d'"
strike
! grep "WENT THROUGH" "$work/server.log" || fail "a server could do that"
! grep '^refused: ' "$work/server.log" | grep -vE '\(EPERM\)$|: clone3 \(ENOSYS\)$' ||
    fail "the filter did not refuse that"
kill -TERM "$server"
ends 0
gone
sound "$work/vol.img"

# an ordinary user's
if command -v fusermount3 >/dev/null && as_user test -r "$breakout"; then
    as_user true
    chown 65534 "$m"
    setpriv --reuid 65534 --regid 65534 --clear-groups \
        env LD_PRELOAD="$breakout" fatward -f "$work/vol.img" "$m" >"$work/server.log" 2>&1 &
    server=$!
    servers="$servers $server"
    wait_for_mount "$m" "$server" || { cat "$work/server.log" && fail "not mounted"; }
    logs "sandbox: seccomp"
    in_status Seccomp 2
    in_status NoNewPrivs 1
    in_status CapEff 0000000000000000
    # not dumpable: so not his own to look at, either
    is 0 stat -c %u "/proc/$server/mem"
    kill -URG "$server"
    logs "^that was all"
    ! grep "WENT THROUGH" "$work/server.log" || fail "a user's server could do that"
    child=$(pgrep -P "$server")
    kill -TERM "$server"
    ends 0
    gone
fi

# Without the list of calls: paths and privileges stay out of reach. The attacker has no
# need to be believed blindly: other things do go through.
attacked seccomp
logs "sandbox: no seccomp to be had, "
in_status Seccomp 0
strike
grep -q "^WENT THROUGH: kernel: dup" "$work/server.log" || fail "the attacker sleeps"
! grep -E "WENT THROUGH: (path|privilege)" "$work/server.log" || fail "there is but one wall"
if grep -q "Landlock [6-9]" "$work/server.log"; then
    ! grep -E "WENT THROUGH: process: kill (init|the parent)" "$work/server.log" || fail "others can be signalled"
fi
kill -TERM "$server"
ends 0
gone

# without Landlock it says so and goes on; if that isn't enough, nothing is mounted
attacked landlock
logs "sandbox: seccomp, no Landlock to be had, no capabilities"
strike
! grep "WENT THROUGH" "$work/server.log" || fail "a server could do that"
release "$m"
for part in seccomp landlock; do
    run 2 env LD_PRELOAD="$breakout" JAIL_LACKS="$part" \
        fatward "$work/vol.img" "$m" -o sandbox=strict
    says "option 'sandbox=strict': "
    holds "nothing is mounted" sh -c "! mountpoint -q '$m'"
done
if fatward "$work/vol.img" "$m" -o sandbox=strict 2>"$work/err"; then
    release_one=$(pgrep -f "fatward $work/vol.img" | head -n 1)
    holds "it serves" ls "$m"
    run 0 umount.fuse.fatward "$m"
    ! kill -0 "$release_one" 2>/dev/null || sleep 1
else
    says "no Landlock"
fi

# a server that can't start its threads takes its mount off from inside the jail
mkdir -p "$m"
run 2 env LD_PRELOAD="$breakout" JAIL_LACKS=threads fatward -f "$work/vol.img" "$m"
holds "nothing is mounted" sh -c "! mountpoint -q '$m'"

# switched off, and nonsense
for word in nosandbox sandbox=off; do
    serve "$work/vol.img" "$m" -o $word
    logs "sandbox: off"
    in_status Seccomp 0
    release "$m"
done
for word in sandbox sandbox= sandbox=maybe sandbox=on,sandbox=no; do
    run 1 fatward "$work/vol.img" "$m" -o $word
    says "option 'sandbox"
done
sound "$work/vol.img"
