#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Filled to the last cluster, with data, with files and with directories, a volume
# says "No space left on device", goes on answering, and has all of it back when what
# filled it is removed.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3

for volume in "12 4096 -s 4" "16 2560 -s 1" "32 2048 -s 1"; do
    enter_new "$volume"
    free=$(stat -f -c %f .)

    mkdir keep && echo keep >keep/file && echo x >"$work/tiny"
    refused "No space left" dd if=/dev/zero of=big bs=64k
    holds "what fits is there" test "$(stat -c %s big)" -gt $((kib * 900))
    is 0 stat -f -c %f .
    refused "No space left" mkdir more
    refused "No space left" cp "$work/tiny" keep/more
    refused "No space left" sh -c "head -c 1000000 /dev/zero >>keep/file"
    refused "No space left" fallocate -l 1000000 keep/asked
    refused "No space left" cp -r keep copy
    is keep head -c 4 keep/file
    timeout 10 ls -lR . >/dev/null || fail "ls after a full volume"
    # an empty file wants no cluster, only a slot
    run 0 touch keep/empty
    rm -f big
    mkdir more || fail "no room after room was made"
    rm -rf more copy keep
    sync .
    is "$free" stat -f -c %f .

    # with directories, and with files of one byte; rewriting in between
    holds "mkdir fills it" python3 - <<'P'
import errno, os
def fill(make):
    count = 0
    try:
        while True:
            make(count)
            count += 1
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    return count
os.mkdir("d")
made = fill(lambda n: os.mkdir(f"d/directory number {n}"))
for n in range(0, made, 3):
    os.rmdir(f"d/directory number {n}")
def write(n):
    with open(f"d/f{n}", "wb") as file:
        file.write(b"x")
made = fill(write)
assert made > 100, made
os.statvfs("d")
P
    find d | wc -l >"$work/count"
    cd "$work" || exit 99
    release "$work/m"
    sound "$work/vol.img"
    serve "$work/vol.img" "$work/m"
    is "$(cat "$work/count")" sh -c "cd '$work/m' && find d | wc -l"
    rm -rf "$work/m/d"
    sync "$work/m"
    is "$free" stat -f -c %f "$work/m"
    release "$work/m"
    sound "$work/vol.img"
    rm "$work/vol.img"
done

# a fixed root folder is full before the volume is
make_image vol.img 16 16384 -r 64
serve "$work/vol.img" "$work/m"
cd "$work/m" || exit 99
i=0
while touch "f$i" 2>"$work/err"; do i=$((i + 1)); done
says "No space left"
is 64 echo "$i"
refused "No space left" mkdir dir
rm f1
mkdir dir && echo x >dir/x || fail "a slot is free again"
cd "$work" || exit 99
release "$work/m"
sound "$work/vol.img"
