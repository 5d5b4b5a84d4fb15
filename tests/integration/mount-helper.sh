# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# Shared by the tests of fatward-mount: what lib.sh has, a /run of one's own with a
# place for service sockets, and scripted servers.
. "$(dirname "$0")/lib.sh"
needs fatward-mount python3 setpriv

peer_program=$(cd "$(dirname "$0")" && pwd)/service-peer
sockets=/run/filesystems
mount -t tmpfs tmpfs /run && mkdir "$sockets" || exit 99
m=$work/m
mkdir "$m" && echo image >"$work/img" || exit 99

# plays STEP...: a server at fuse.vfat's socket, $peer
plays()
{
    rm -f "$sockets/vfat"
    python3 "$peer_program" "$sockets/vfat" "$@" >"$work/peer" 2>&1 &
    peer=$!
    servers="$servers $peer"
    tries=0
    until [ -S "$sockets/vfat" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || fail "the scripted server does not come up"
        sleep 0.02
    done
}

# ended: the server has played all its steps
ended()
{
    wait "$peer"
    status=$?
    servers=${servers% "$peer"}
    if [ "$status" -ne 0 ]; then
        cat "$work/peer" "$work/err"
        fail "the scripted server ended with $status"
    fi
}

# dismiss PROCESS: it is not needed any more
dismiss()
{
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    left=
    for server in $servers; do
        [ "$server" = "$1" ] || left="$left $server"
    done
    servers=$left
}

# gave REGEX: the server received that
gave()
{
    grep -qE -- "$1" "$work/peer" && return 0
    cat "$work/peer" "$work/err"
    fail "the helper did not give: $1"
}

# nothing_mounted: on $m
nothing_mounted()
{
    if grep " $m " /proc/self/mountinfo; then
        cat "$work/peer" "$work/err"
        fail "something is mounted"
    fi
}

# fails STATUS MESSAGE STEP...: a mount with such a server leaves nothing
fails()
{
    wanted_status=$1 wanted_message=$2
    shift 2
    plays "$@"
    run "$wanted_status" fatward-mount -t fuse.vfat "$work/img" "$m" --timeout=1
    says "$wanted_message"
    nothing_mounted
    ended
}

# mounts STEP... -- ARGUMENT...: a mount with such a server is made
mounts()
{
    steps=
    while [ "$1" != -- ]; do
        steps="$steps $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # steps without blanks
    plays $steps
    run 0 fatward-mount -t fuse.vfat "$work/img" "$m" --timeout=5 "$@"
    ended
    grep -q " $m .* - fuse" /proc/self/mountinfo || fail "nothing is mounted"
}

# shows REGEX: the kernel's line about the mount
shows()
{
    grep -E " $m .* - fuse" /proc/self/mountinfo >"$work/line"
    grep -qE -- "$1" "$work/line" && return 0
    cat "$work/line"
    fail "the mount does not show: $1"
}

# for_mount_8: mount(8) finds the helper, in this namespace only
for_mount_8()
{
    mkdir "$work/tmpfs" && mount -t tmpfs tmpfs "$work/tmpfs" &&
        mkdir "$work/tmpfs/upper" "$work/tmpfs/over" &&
        mount -t overlay -o "lowerdir=/usr/sbin,upperdir=$work/tmpfs/upper,workdir=$work/tmpfs/over" \
            overlay /usr/sbin 2>/dev/null ||
        { echo "SKIP: no overlay can be mounted" && exit 77; }
    cp "$(command -v fatward-mount)" /usr/sbin/mount.fuse.vfat &&
        chmod 4755 /usr/sbin/mount.fuse.vfat || exit 99
}

gone()
{
    umount -i -l "$m" || fail "not to be unmounted"
}

# user_program: $user_mount, a setuid copy that an ordinary user can run
user_program()
{
    as_user true
    user_mount=$work/dev/fatward-mount
    cp "$(command -v fatward-mount)" "$user_mount" && chmod 4755 "$user_mount" || exit 99
    as_user test -r "$work/img" -a -x "$user_mount" ||
        { echo "SKIP: $work is closed to others" && exit 77; }
}
