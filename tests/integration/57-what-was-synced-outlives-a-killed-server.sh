#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The server is killed in the middle of work, many times, at no moment in particular. What
# had been synced is there when the volume is mounted again, which mends what was left
# half done; after that the volume is sound.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3

cat >"$work/work.py" <<'P'
# Makes and saves files; tells what it has synced, a line each.
import os, random, sys
rng = random.Random(int(sys.argv[1]))
out = open(sys.argv[2], "a", buffering=1)
folders = ["."]
while True:
    kind = rng.randrange(8)
    folder = rng.choice(folders)
    name = f"{folder}/{'synced file ' * rng.randrange(2)}{rng.randrange(40)}.dat"
    size = rng.choice((0, 1, 600, 5000, 40000))
    if kind < 4:
        version = rng.randrange(1 << 30)
        with open(f"{folder}/new.tmp", "wb") as file:
            file.write(b"%010d" % version * (size // 10 + 1))
            file.flush()
            os.fsync(file.fileno())
        out.write(f"saving {version} {name}\n")
        os.rename(f"{folder}/new.tmp", name)
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        out.write(f"saved {version} {name}\n")
    elif kind == 4 and len(folders) < 6:
        new = f"{rng.choice(folders)}/folder {len(folders)}"
        os.makedirs(new, exist_ok=True)
        folders.append(new)
    elif kind == 5:
        with open(f"scratch {rng.randrange(9)}", "wb") as file:
            file.write(bytes(size))
    elif kind == 6:
        name = f"scratch {rng.randrange(9)}"
        if os.path.exists(name):
            os.unlink(name)
    elif kind == 7:
        with open("log", "ab") as file:
            file.write(b"line\n" * 200)
P
cat >"$work/judge.py" <<'P'
# What was saved last is there, or what was being saved when the server went.
import sys
saved, saving = {}, {}
for line in open(sys.argv[1]):
    word, version, name = line.rstrip("\n").split(" ", 2)
    if word == "saved":
        saved[name.casefold()] = int(version)
        saving.pop(name.casefold(), None)
    else:
        saving[name.casefold()] = int(version)
for name, version in saved.items():
    data = open(name, "rb").read()
    got = int(data[:10])
    assert data == data[:10] * (len(data) // 10), name
    assert got in (version, saving.get(name)), (name, got, version)
P

for volume in "12 15360 -s 8" "16 32768 -s 4" "32 66560 -s 1"; do
    # shellcheck disable=SC2086 # a list
    set -- $volume
    type=$1 kib=$2
    shift 2
    make_image vol.img "$type" "$kib" "$@"
    : >"$work/log"
    for round in 1 2 3 4 5 6 7 8; do
        serve "$work/vol.img" "$work/m"
        (cd "$work/m" && exec python3 "$work/work.py" $round "$work/log" 2>/dev/null) &
        worker=$!
        wanted=$(($(grep -c ^ "$work/log") + round * 7))
        tries=0
        until [ "$(grep -c ^ "$work/log")" -ge "$wanted" ]; do
            tries=$((tries + 1))
            [ $tries -lt 3000 ] && kill -0 "$worker" || fail "round $round came to nothing"
            sleep 0.01
        done
        kill -KILL "$server"
        wait "$server"
        servers=${servers% "$server"}
        wait "$worker"
        umount -i -l "$work/m" || fail "umount"

        cp "$work/vol.img" "$work/killed.img"
        fsck.fat -n "$work/killed.img" >"$work/fsck" 2>&1
        # one chain with two names is a rename that was under way
        ! grep -qiE 'circular|Contains a free|Bad (file|dir)|illegal' "$work/fsck" ||
            { cat "$work/fsck" && fail "more than leftovers"; }
        serve "$work/vol.img" "$work/m"
        (cd "$work/m" && holds "FAT$volume round $round" python3 "$work/judge.py" "$work/log") ||
            { cat "$work/fsck" && exit 1; }
        echo mended >"$work/m/mended" || { cat "$work/server.log" && fail "it can't be written"; }
        (cd "$work/m" && holds "still" python3 "$work/judge.py" "$work/log") || exit 1
        release "$work/m"
        sound "$work/vol.img"
    done
    rm "$work/vol.img"
done
