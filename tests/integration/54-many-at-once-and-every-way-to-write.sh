#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Eight writers at once; O_DIRECT, shared mappings, O_APPEND, copy_file_range,
# preallocation and files that live on after their removal, alone and mixed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 fallocate

for volume in "12 61440 -s 32" "16 131072 -s 8" "32 131072 -s 2"; do
    enter_new "$volume"

    # each has a folder, and all have one in common
    mkdir common
    writers=
    for n in 1 2 3 4 5 6 7 8; do
        (
            mkdir "writer $n"
            i=0
            while [ $i -lt 60 ]; do
                seq "$n$i" "$n$((i + 40))" >"writer $n/file number $i" &&
                    cp "writer $n/file number $i" "common/from $n file $i" &&
                    mv "common/from $n file $i" "common/$n-$i" &&
                    { [ $((i % 3)) -ne 0 ] || rm "common/$n-$i"; } &&
                    echo "$n $i $(head -c 40 /dev/zero | tr '\0' x)" >>common/log || exit 1
                i=$((i + 1))
            done
        ) 2>"$work/errors$n" &
        writers="$writers $!"
    done
    for writer in $writers; do
        wait "$writer" || { cat "$work"/errors? && fail "a writer was turned away"; }
    done
    is 480 grep -c '^[1-8] [0-9]* x\{40\}$' common/log
    is 320 sh -c "ls common | grep -c -- -"
    for n in 1 5 8; do
        is "$(seq "${n}1" "${n}41" | cksum)" sh -c "cksum <common/$n-1"
    done

    # past the page cache
    head -c 3000000 /dev/urandom >"$work/random"
    run 0 dd if="$work/random" of=direct bs=64k oflag=direct iflag=fullblock
    run 0 cmp "$work/random" direct
    run 0 dd if=direct of="$work/read" bs=1M iflag=direct
    run 0 cmp "$work/random" "$work/read"

    run 0 cp --reflink=auto direct copy
    run 0 cmp direct copy
    run 0 cp --sparse=always direct sparse
    run 0 cmp direct sparse
    holds "every way to write agrees" python3 - "$work/random" <<'P'
import errno, fcntl, mmap, os, sys
random = open(sys.argv[1], "rb").read()

# shared mappings are files, also past the size that they were made with
f = os.open("mapped", os.O_RDWR | os.O_CREAT)
os.ftruncate(f, 1 << 20)
m = mmap.mmap(f, 1 << 20)
m[:] = random[:1 << 20]
assert os.pread(f, 1 << 20, 0) == random[:1 << 20]
os.pwrite(f, b"written", 5000)
assert m[5000:5007] == b"written"
m[12345:12350] = b"store"
m.flush()
other = os.open("mapped", os.O_RDONLY | os.O_DIRECT)
page = mmap.mmap(-1, 4096)
os.preadv(other, [page], 12288)
assert page[57:62] == b"store"
m.close()

# copy_file_range, inside one file and to another, across clusters and past the end
one, two = os.open("direct", os.O_RDWR), os.open("ranges", os.O_RDWR | os.O_CREAT)
def copy(a, b, count, source, target):
    done = 0
    while done < count:
        part = os.copy_file_range(a, b, count - done, source + done, target + done)
        if part == 0:
            break
        done += part
    return done
assert copy(one, two, 100000, 777, 3) == 100000
assert os.pread(two, 200000, 0) == b"\0\0\0" + random[777:100777]
assert copy(one, two, 10000, len(random) - 10, 0) == 10
assert copy(one, one, 50000, 0, 2900000) == 50000
assert os.pread(one, 50000, 2900000) == random[:50000]
os.pwrite(one, random[2900000:2950000], 2900000)

# preallocation: nothing to see, everything to use; SEEK_DATA and SEEK_HOLE
f = os.open("asked", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(f, 0, 500000)
assert os.fstat(f).st_size == 500000 and os.fstat(f).st_blocks * 512 >= 500000
assert os.pread(f, 500000, 0) == bytes(500000)
os.posix_fallocate(f, 100, 100)
assert os.fstat(f).st_size == 500000
assert os.lseek(f, 10, os.SEEK_DATA) == 10
assert os.lseek(f, 10, os.SEEK_HOLE) == 500000
try:
    os.lseek(f, 500000, os.SEEK_DATA)
    assert False
except OSError as error:
    assert error.errno == errno.ENXIO

# appenders with one descriptor each never overwrite
fds = [os.open("appended", os.O_WRONLY | os.O_CREAT | os.O_APPEND) for _ in range(4)]
for i in range(400):
    os.write(fds[i % 4], b"%05d\n" % i)
assert open("appended", "rb").read() == b"".join(b"%05d\n" % i for i in range(400))

# removed, and still a file
f = os.open("doomed", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.write(f, random[:100000])
os.unlink("doomed")
assert not os.path.exists("doomed")
again = os.open("doomed", os.O_RDWR | os.O_CREAT | os.O_EXCL)
os.write(again, b"another")
os.pwrite(f, b"more", 200000)
assert os.pread(f, 100000, 0) == random[:100000]
assert os.fstat(f).st_size == 200004
os.ftruncate(f, 5)
assert os.pread(f, 10, 0) == random[:5]
assert os.pread(again, 10, 0) == b"another"
# and one that another was renamed over
g = os.open("doomed", os.O_RDONLY)
open("better", "wb").write(b"better")
os.rename("better", "doomed")
assert os.pread(g, 10, 0) == b"another" and open("doomed", "rb").read() == b"better"
os.fsync(f)
os.close(f)

# limits
f = os.open("limit", os.O_RDWR | os.O_CREAT)
for attempt in (lambda: os.ftruncate(f, 1 << 32), lambda: os.pwrite(f, b"x", (1 << 32) - 1),
                lambda: os.posix_fallocate(f, (1 << 32) - 10, 20)):
    try:
        attempt()
        assert False, attempt
    except OSError as error:
        assert error.errno == errno.EFBIG, error
assert os.fstat(f).st_size == 0
for attempt in (lambda: os.ftruncate(f, (1 << 32) - 1), lambda: os.pwrite(f, b"x", 1 << 31)):
    try:
        attempt()
        assert False, attempt
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
os.write(f, b"alive")
assert os.fstat(f).st_size == 5

# locks
fcntl.flock(f, fcntl.LOCK_EX)
fcntl.lockf(f, fcntl.LOCK_EX, 10, 100)
P

    outlives_unmounting
    rm -r "$work/copy" "$work/vol.img"
done
