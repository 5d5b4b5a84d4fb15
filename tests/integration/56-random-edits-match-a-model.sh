#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A fixed seed of reads, writes, appends, truncations, preallocations, mappings, copies
# and reopenings of a few files, each compared with bytes in memory; now and then the
# volume is remounted.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3

cat >"$work/edit.py" <<'P'
import mmap, os, pickle, random, sys
seed, store = int(sys.argv[1]), sys.argv[2]
rng = random.Random(seed)
try:
    with open(store, "rb") as file:
        model = pickle.load(file)
except FileNotFoundError:
    model = {}
NAMES = ["one", "Two.txt", "a third one", "DIR/four"]
LIMIT = 600000
os.makedirs("DIR", exist_ok=True)
for name in NAMES:
    if name in model:
        got = open(name, "rb").read()
        assert got == model[name], f"{name} after a remount"
    else:
        open(name, "wb").close()
        model[name] = bytearray()
handles = {}
def handle(name):
    if name not in handles:
        handles[name] = os.open(name, os.O_RDWR)
    return handles[name]
def place(data, at, new):
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at:at + len(new)] = new
def spot():
    at = rng.randrange(LIMIT)
    return at & ~511 if rng.random() < .3 else at
def length():
    return rng.choice((1, 2, 511, 512, 513, 4096, 5000, 65536, rng.randrange(1, 100000)))
for step in range(1500):
    name = rng.choice(NAMES)
    data = model[name]
    kind = rng.randrange(13)
    what = f"seed {seed} step {step} kind {kind} {name}"
    if kind < 3:
        at, new = spot() if kind else rng.randrange(len(data) + 1), rng.randbytes(length())
        assert os.pwrite(handle(name), new, at) == len(new), what
        place(data, at, new)
    elif kind < 5:
        at, count = spot(), length()
        assert os.pread(handle(name), count, at) == data[at:at + count], what
    elif kind == 5:
        size = rng.choice((0, len(data) // 2, spot(), len(data) + 1))
        os.ftruncate(handle(name), size)
        del data[size:]
        data.extend(bytes(size - len(data)))
    elif kind == 6:
        at, count = spot(), length()
        os.posix_fallocate(handle(name), at, count)
        data.extend(bytes(max(0, at + count - len(data))))
    elif kind == 7 and len(data) > 0:
        with mmap.mmap(handle(name), len(data)) as m:
            at = rng.randrange(len(data))
            new = rng.randbytes(min(length(), len(data) - at))
            m[at:at + len(new)] = new
            data[at:at + len(new)] = new
            at = rng.randrange(len(data))
            assert m[at:at + 3000] == data[at:at + 3000], what
    elif kind == 8:
        other = rng.choice(NAMES)
        at, to, count = spot(), spot(), length()
        if name == other and (abs(at - to) <= count or at + count > len(data)):
            continue
        done = 0
        while done < count:
            part = os.copy_file_range(handle(name), handle(other), count - done, at + done, to + done)
            if part == 0:
                break
            done += part
        assert done == max(0, min(count, len(data) - at)), what
        if done:
            place(model[other], to, bytes(data[at:at + done]))
    elif kind == 9 and name in handles:
        os.close(handles.pop(name))
    elif kind == 10:
        with open(name.upper(), "ab") as file:  # another spelling
            new = rng.randbytes(rng.randrange(1, 3000))
            file.write(new)
        data.extend(new)
    elif kind == 11:
        temporary = os.path.dirname(name) + ("/" if "/" in name else "") + "temporary"
        data[:] = rng.randbytes(length())
        with open(temporary, "wb") as file:
            file.write(data)
        os.rename(temporary, name)
        if name in handles:
            os.close(handles.pop(name))
    elif kind == 12:
        rng.choice((os.fsync, os.fdatasync))(handle(name))
    if len(data) > 2 * LIMIT:
        os.ftruncate(handle(name), LIMIT)
        del data[LIMIT:]
    assert os.stat(name).st_size == len(data), f"{what}: size {os.stat(name).st_size}, not {len(data)}"
for name in NAMES:
    assert open(name, "rb").read() == model[name], f"seed {seed}: {name} at the end"
with open(store, "wb") as file:
    pickle.dump(model, file)
P

for volume in "12 30720 -s 16" "16 32768 -s 4" "16 65536 -S 4096 -s 1" "32 66560 -s 1"; do
    # shellcheck disable=SC2086 # a list
    set -- $volume
    type=$1 kib=$2
    shift 2
    make_image vol.img "$type" "$kib" "$@"
    rm -f "$work/model"
    for seed in 1 2 3; do
        serve "$work/vol.img" "$work/m"
        cd "$work/m" || exit 99
        holds "FAT$volume seed $seed" python3 "$work/edit.py" $seed "$work/model"
        cd "$work" || exit 99
        release "$work/m"
        sound "$work/vol.img"
    done
    rm "$work/vol.img"
done
