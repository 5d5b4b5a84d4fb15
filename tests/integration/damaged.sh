# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# Shared by the tests of damaged volumes, after lib.sh.

# mounts IMAGE [OPTION...]: with a server in the foreground, or says why not; a server
# that ends by a signal, or does not end, fails the test
mounts()
{
    mounted=$1
    shift
    mkdir -p "$work/m"
    timeout -k 5 60 fatward -f "$mounted" "$work/m" "$@" >"$work/server.log" 2>&1 &
    server=$!
    servers="$servers $server"
    wait_for_mount "$work/m" "$server" && return 0
    wait "$server"
    status=$?
    servers=${servers% "$server"}
    [ "$status" -gt 0 ] && [ "$status" -lt 124 ] && [ -s "$work/server.log" ] && return 1
    cat "$work/server.log"
    fail "$mounted: refused with status $status"
}

# A volume that turned read-only over its damage is left with a status of its own.
unmounts()
{
    timeout 60 umount.fuse.fatward "$work/m" >"$work/out" 2>&1
    helped=$?
    wait "$server"
    status=$?
    servers=${servers% "$server"}
    if [ "$status" -ge 124 ] || [ "$helped" -ge 124 ] || grep -q "$work/m" /proc/self/mountinfo; then
        cat "$work/server.log" "$work/out"
        fail "$mounted: the server ended with $status, the helper with $helped"
    fi
}

# A patient user: everything is read, some of it is written to. What fails, fails.
use()
{
    timeout -k 5 60 python3 - "$work/m" "$1" <<'P'
import os, sys
root, write = os.fsencode(sys.argv[1]), sys.argv[2] == "rw"
seen = 0
def attempt(call, *arguments):
    try:
        return call(*arguments)
    except (OSError, ValueError):
        return None
for where, inner, names in os.walk(root):
    seen += len(inner) + len(names)
    if seen > 3000 or where.count(b"/") > 40:
        inner.clear()
    for name in inner + names:
        attempt(os.lstat, os.path.join(where, name))
    for name in names[:200]:
        def read(path):
            with open(path, "rb") as file:
                for _ in range(64):
                    if not file.read(65536):
                        break
        attempt(read, os.path.join(where, name))
attempt(os.statvfs, root)
if not write:
    sys.exit()
def put(path, mode, size):
    with open(path, mode) as file:
        file.write(b"x" * size)
        os.fsync(file.fileno())
attempt(put, os.path.join(root, b"a new file of ours"), "wb", 5000)
folders = [root] + [os.path.join(root, n) for n in os.listdir(root)][:40] \
    if attempt(os.listdir, root) is not None else []
for i, folder in enumerate(folders):
    if not attempt(os.path.isdir, folder):
        attempt(put, folder, "ab", 3000)
        attempt(os.truncate, folder, 10)
        continue
    attempt(put, os.path.join(folder, b"another new file"), "wb", 700)
    attempt(os.mkdir, os.path.join(folder, b"new folder"))
    for name in sorted(attempt(os.listdir, folder) or ())[:20]:
        path = os.path.join(folder, name)
        attempt(os.rename, path, path + b" renamed")
        attempt(os.rename, path + b" renamed", os.path.join(root, b"moved %d" % i))
        attempt(os.unlink, path)
        attempt(os.rmdir, path)
attempt(os.sync)
P
    status=$?
    [ "$status" -eq 0 ] || fail "$mounted: somebody who uses it ended with $status"
    kill -0 "$server" 2>/dev/null || { cat "$work/server.log" && fail "$mounted: the server is gone"; }
}

# damaged_volume IMAGE: tried read-only and, a copy of it, for writing
damaged_volume()
{
    before=$(sha256sum <"$1")
    timeout 60 fatward-inspect info "$1" >"$work/out" 2>&1
    [ $? -lt 124 ] || fail "$1: fatward-inspect info"
    timeout 60 fatward-inspect check "$1" >"$work/out" 2>&1
    [ $? -lt 124 ] || fail "$1: fatward-inspect check"
    if mounts "$1" -o ro; then
        use ro
        unmounts
    fi
    [ "$(sha256sum <"$1")" = "$before" ] || fail "$1 was changed by a read-only mount"
    cp --sparse=always "$1" "$work/copy.img"
    if mounts "$work/copy.img"; then
        use rw
        unmounts
        timeout 60 fatward-inspect check "$work/copy.img" >"$work/out" 2>&1
        [ $? -lt 124 ] || fail "$1: fatward-inspect check after it was written to"
    else
        [ "$(sha256sum <"$work/copy.img")" = "$before" ] || fail "$1: refused, and changed"
    fi
    rm -f "$work/copy.img"
}

# good_volumes: $work/good/TYPE.img, as make-damage wants them; in each file is $work/a
good_volumes()
{
    head -c 20000 /dev/urandom >"$work/a"
    mkdir "$work/good" || exit 99
    for volume in "12 2048" "16 4096" "32 2048"; do
        make_image "good/${volume% *}.img" "${volume% *}" "${volume#* }" -s 1
        serve "$work/good/${volume% *}.img" "$work/m"
        mkdir "$work/m/dir" "$work/m/dir/sub" "$work/m/other"
        for file in "dir/a long name for a file" dir/second GOOD.TXT other/third; do
            cp "$work/a" "$work/m/$file" || fail "could not fill the volume"
        done
        release "$work/m"
    done
}
