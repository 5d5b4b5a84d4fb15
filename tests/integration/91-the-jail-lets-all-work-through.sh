#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Here a system call that the server's jail doesn't know ends the server. All kinds of
# work go through, with one thread and with many, on files and devices, for root and an
# ordinary user; and every way to end leaves neither a mount nor a process.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat setpriv python3 pgrep fallocate
m=$work/m
export FATWARD_SANDBOX_KILL=1
make_image vol.img 32 66560 -s 1
mkdir "$m"

# All at once from many sides, so that memory comes from many places.
cat >"$work/work" <<'P'
import concurrent.futures, mmap, os, shutil, sys

def one(place):
    os.makedirs(place + "/a/b", exist_ok=True)
    data = os.urandom(70000)
    for i in range(12):
        name = "%s/a/b/a name that takes some slots %d" % (place, i)
        with open(name, "wb") as f:
            f.write(data)
            f.truncate(80000 + i)
            os.fsync(f.fileno())
        os.rename(name, place + "/a/moved%d" % i)
    fd = os.open(place + "/mapped", os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(fd, 0, 100000)
    with mmap.mmap(fd, 100000) as m:
        m[5:9] = b"data"
        m.flush()
    os.close(fd)
    os.utime(place + "/mapped", (10**9, 10**9))
    os.chmod(place + "/mapped", 0o444)
    shutil.copytree(place + "/a", place + "/c")
    os.rename(place + "/c", place + "/C")
    with open(place + "/C/moved3", "rb") as f:
        assert f.read(70000) == data
    os.statvfs(place)
    assert len(os.listdir(place + "/C")) == 13
    with open(place + "/later", "w") as f:
        f.write("left to the committer")
    shutil.rmtree(place + "/a")
    for i in range(12):
        os.unlink(place + "/C/moved%d" % i)
    fd = os.open(place, os.O_RDONLY)
    os.fsync(fd)

places = ["%s/%d" % (sys.argv[1], i) for i in range(16)]
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(one, places))
for place in places:
    shutil.rmtree(place)
P

# find_server: in the background, and its companion, when it has locked itself in
find_server()
{
    server=
    for try in $(seq 100); do
        for pid in $(pgrep -x fatward); do
            ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q " $work/" ||
                ! grep -qs '^Seccomp:.*2' "/proc/$pid/status" || server=$pid
        done
        [ -z "$server" ] || break
        sleep 0.05
    done
    [ -n "$server" ] || fail "there is no server in a jail"
    servers="$servers $server"
    unmounter=$(pgrep -P "$server")
    is fatward-unmount cat "/proc/$unmounter/comm"
}

is_gone()
{
    [ ! -e "/proc/$1" ] || grep -q '^State:.*Z' "/proc/$1/status"
}

# nothing_is_left: soon, neither server nor unmounter nor mount
nothing_is_left()
{
    for try in $(seq 100); do
        if is_gone "$server" && is_gone "$unmounter"; then
            holds "nothing is mounted" sh -c "! mountpoint -q '$m'"
            return
        fi
        sleep 0.05
    done
    fail "a process is left"
}

for options in -s "-o max_threads=1" "-o max_threads=64" "-o sync" "-d"; do
    # shellcheck disable=SC2086 # two words
    serve "$work/vol.img" "$m" $options
    find_server
    holds "all works with $options" python3 "$work/work" "$m"
    [ "$options" != -s ] || sleep 2.5 # for the committer
    release "$m"
    nothing_is_left
    sound "$work/vol.img"
done

# in the background, where messages go to syslog
for signal in TERM INT HUP; do
    run 0 fatward "$work/vol.img" "$m"
    find_server
    holds "all works in the background" python3 "$work/work" "$m"
    kill -$signal "$server"
    nothing_is_left
    sound "$work/vol.img"
done

# a signal while files are open and mapped
run 0 fatward "$work/vol.img" "$m"
find_server
echo open >"$m/open"
exec 8<"$m/open"
kill -TERM "$server"
nothing_is_left
exec 8<&-

# every umount
for command in "umount.fuse.fatward" "umount -i" "umount -i -l"; do
    run 0 fatward "$work/vol.img" "$m"
    find_server
    # shellcheck disable=SC2086 # a list
    run 0 $command "$m"
    nothing_is_left
done

# killed: the dead mount stays, the unmounter doesn't
run 0 fatward "$work/vol.img" "$m"
find_server
kill -KILL "$server"
for try in $(seq 100); do
    ! is_gone "$unmounter" || break
    sleep 0.05
done
is_gone "$unmounter" || fail "the unmounter outlives a killed server"
refused "not connected" ls "$m"
umount -i "$m"
nothing_is_left

# its unmounter killed: the server still ends, and commits
run 0 fatward "$work/vol.img" "$m"
find_server
echo kept >"$m/kept"
kill -KILL "$unmounter"
sleep 0.2
[ ! -e "/proc/$unmounter" ] || fail "it stays as a zombie"
kill -TERM "$server"
for try in $(seq 100); do
    ! is_gone "$server" || break
    sleep 0.05
done
refused "not connected" ls "$m"
umount -i "$m"
nothing_is_left
sound "$work/vol.img"

# another mount on top stays where it is
serve "$work/vol.img" "$m"
find_server
is kept cat "$m/kept"
mount -t tmpfs above "$m" && echo above >"$m/above"
kill -TERM "$server"
ends 0
is above cat "$m/above"
umount "$m"
umount -i "$m"
nothing_is_left

# an ordinary user
if command -v fusermount3 >/dev/null; then
    as_user true
    chown 65534 "$work/vol.img" "$m"
    chmod 755 "$work/work"
    for way in "fusermount3 -u $m" "umount.fuse.fatward $m" signal; do
        holds "he mounts" as_user env PATH="$PATH" fatward "$work/vol.img" "$m"
        find_server
        holds "all works for him" as_user env PATH=/usr/bin:/bin sh -c "
            if command -v python3 >/dev/null; then python3 '$work/work' '$m'
            else cp -r /usr/include/linux '$m/copy' && rm -r '$m/copy'; fi"
        if [ "$way" = signal ]; then
            as_user kill -TERM "$server" || fail "his server is not his to end"
        else
            # shellcheck disable=SC2086 # a list
            holds "he unmounts" as_user env PATH="$PATH" $way
        fi
        nothing_is_left
        sound "$work/vol.img"
    done
    chown 0 "$work/vol.img" "$m"
fi

# a block device
attach "$work/vol.img"
for way in umount signal; do
    run 0 fatward "$loop" "$m"
    find_server
    holds "all works on a device" python3 "$work/work" "$m"
    sync "$m"
    if [ "$way" = umount ]; then run 0 umount -i "$m"; else kill -TERM "$server"; fi
    nothing_is_left
done
sound "$work/vol.img"
