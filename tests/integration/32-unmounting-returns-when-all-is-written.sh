#!/bin/sh
# SPDX-License-Identifier: MIT
#
# However a mount ends, what was written is on the medium when the command that ended
# it has returned: the helper, a signal, a mount by an ordinary user. No image has two
# writers, and the next mount waits for a server that is just leaving.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat mtype python3 setpriv
m=$work/m
make_image vol.img 16 16384
mkdir "$m"

# in the background: it is mounted when the command returns, and done when the helper does
for round in 1 2 3 4 5; do
    run 0 fatward "$work/vol.img" "$m"
    head -c 300000 /dev/urandom >"$work/data" && cp "$work/data" "$m/round$round"
    run 0 umount.fuse.fatward "$m"
    sound "$work/vol.img"
    mtype -i "$work/vol.img" "::round$round" >"$work/back"
    holds "round $round is on the medium" cmp "$work/data" "$work/back"
done

# a plain umount does not wait, but the next mount does
for round in 1 2 3; do
    run 0 fatward "$work/vol.img" "$m"
    echo "$round" >"$m/plain$round"
    umount -i "$m" || fail "umount -i"
done
serve "$work/vol.img" "$m"
is "1 2 3" sh -c "cat '$m'/plain? | xargs"

# one writer
run 32 fatward "$work/vol.img" "$work/m" -o ro
says "vol.img"
is "1 2 3" sh -c "cat '$m'/plain? | xargs"

# in use: refused, and nothing has happened
exec 9<"$m/plain1"
run 32 umount.fuse.fatward "$m"
says "busy"
is 1 cat "$m/plain1"
exec 9<&-
release "$m"
run 1 umount.fuse.fatward "$m"
says "not mounted"

# signals end it in order, mapped pages included
for signal in TERM INT HUP; do
    serve "$work/vol.img" "$m"
    echo "by $signal" >"$m/signal"
    kill -"$signal" "$server"
    ends 0
    holds "nothing is mounted" sh -c "! mountpoint -q '$m'"
    sound "$work/vol.img"
    is "by $signal" mtype -i "$work/vol.img" ::signal
done
serve "$work/vol.img" "$m"
holds "the server ends while a file is mapped" python3 - "$m/mapped" "$server" <<'P'
import mmap, os, signal, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 8192)
m = mmap.mmap(fd, 8192)
m[0:6] = b"mapped"
os.kill(int(sys.argv[2]), signal.SIGTERM)
def is_gone(process):
    try:
        with open("/proc/%s/stat" % process) as status:
            return status.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
for _ in range(500):
    # touching the file would write it back
    if is_gone(sys.argv[2]):
        break
    time.sleep(0.01)
else:
    sys.exit("the server lives on")
P
ends 0
sound "$work/vol.img"
is mapped sh -c "mtype -i '$work/vol.img' ::mapped | head -c 6"

# what has been idle for a second is committed without being asked
serve "$work/vol.img" "$m"
echo idle >"$m/idle"
sleep 2
is idle peek "$work/vol.img" idle
release "$m"

# an ordinary user's own mount
if command -v fusermount3 >/dev/null; then
    as_user true
    chown 65534 "$work/vol.img" "$m"
    holds "an ordinary user mounts" as_user env PATH="$PATH" fatward "$work/vol.img" "$m"
    is 65534 as_user stat -c %u "$m"
    holds "and writes" as_user sh -c "echo mine >'$m/mine'"
    holds "and unmounts" as_user env PATH="$PATH" umount.fuse.fatward "$m"
    is mine mtype -i "$work/vol.img" ::mine
    sound "$work/vol.img"
fi
