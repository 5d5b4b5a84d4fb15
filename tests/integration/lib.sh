# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# Shared by the tests that mount: what tools.sh has, and a mount namespace of one's
# own, so that nothing is left on the machine whatever happens. Sourced first of all,
# since it starts the test once more inside the namespace.
if [ -z "${FAT_TEST_NAMESPACE:-}" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "SKIP: a mount namespace wants root" && exit 77; }
    [ -c /dev/fuse ] || { echo "SKIP: there is no /dev/fuse" && exit 77; }
    FAT_TEST_NAMESPACE=1 unshare --mount --propagation private true 2>/dev/null ||
        { echo "SKIP: no mount namespace can be had" && exit 77; }
    export FAT_TEST_NAMESPACE=1
    exec unshare --mount --propagation private "$0" "$@"
fi
. "$(dirname "$0")/tools.sh"

servers=
loops=

# What is mounted below $work goes, then the servers that have not left on their own.
clean_up()
{
    status=$?
    cd /
    trap '' HUP INT TERM
    grep -o " $work/[^ ]* " /proc/self/mountinfo | sort -r | while read -r place; do
        umount -i -l "$place" 2>/dev/null
    done
    for loop in $loops; do
        losetup -d "$loop" 2>/dev/null
    done
    for server in $servers; do
        kill -KILL "$server" 2>/dev/null
    done
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT

# make_image NAME TYPE KIB [MKFS-OPTION...]: an empty volume $work/NAME by mkfs.fat
make_image()
{
    name=$1 type=$2 kib=$3
    shift 3
    run 0 mkfs.fat -F "$type" "$@" -C "$work/$name" "$kib"
}

wait_for_mount() # DIRECTORY SERVER
{
    tries=0
    until grep -q " $1 .* - fuse" /proc/self/mountinfo; do
        kill -0 "$2" 2>/dev/null || return 1
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || return 1
        sleep 0.02
    done
}

# serve IMAGE DIRECTORY [OPTION...]: mount it with a server in the foreground, $server
serve()
{
    mkdir -p "$2" || exit 99
    fatward -f "$@" >"$work/server.log" 2>&1 &
    server=$!
    servers="$servers $server"
    if ! wait_for_mount "$2" "$server"; then
        cat "$work/server.log"
        fail "fatward $* did not mount"
    fi
}

# enter_new "TYPE KIB MKFS-OPTION...": a new volume, mounted and the current directory;
# its $type and $kib
enter_new()
{
    # shellcheck disable=SC2086 # a list
    make_image vol.img $1
    serve "$work/vol.img" "$work/m"
    cd "$work/m" || exit 99
}

# ends STATUS: the last server leaves with it
ends()
{
    wait "$server"
    status=$?
    servers=${servers% "$server"}
    if [ "$status" -ne "$1" ]; then
        cat "$work/server.log"
        fail "the server ended with $status instead of $1"
    fi
}

# release DIRECTORY: unmount through the helper; the server leaves without complaint
release()
{
    run 0 umount.fuse.fatward "$1"
    ends 0
}

# holds SENTENCE COMMAND...: the command succeeds
holds()
{
    sentence=$1
    shift
    "$@" >"$work/out" 2>"$work/err" && return 0
    cat "$work/out" "$work/err"
    fail "not so: $sentence"
}

# refused ERROR COMMAND...: the command fails and names the error
refused()
{
    error=$1
    shift
    if "$@" >"$work/out" 2>"$work/err"; then
        fail "went through: $*"
    fi
    says "$error"
}

# is WANTED COMMAND...: the command prints exactly that
is()
{
    wanted=$1
    shift
    got=$("$@" 2>&1)
    [ "$got" = "$wanted" ] || fail "$*: '$got' instead of '$wanted'"
}

# attach IMAGE: a loop device, $loop
attach()
{
    loop=$(losetup -f --show "$1" 2>/dev/null) ||
        { echo "SKIP: no loop device can be had" && exit 77; }
    loops="$loops $loop"
}

# as_user COMMAND...: as an ordinary one who may open /dev/fuse
as_user()
{
    if [ ! -e "$work/dev/fuse" ]; then
        mkdir -p "$work/dev" && mount -t tmpfs tmpfs "$work/dev" || exit 99
        mknod -m 0666 "$work/dev/fuse" c 10 229 || exit 99
        mount --bind "$work/dev/fuse" /dev/fuse || exit 99
        chmod 755 "$work"
    fi
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# peek IMAGE NAME: what a file says in a copy of an image that is mounted just now
peek()
{
    (
        trap - EXIT
        mkdir -p "$work/peek"
        dd if="$1" of="$work/peek.img" bs=64k status=none || exit 99
        fatward "$work/peek.img" "$work/peek" -o ro || exit 99
        cat "$work/peek/$2"
        umount.fuse.fatward "$work/peek"
    )
}
