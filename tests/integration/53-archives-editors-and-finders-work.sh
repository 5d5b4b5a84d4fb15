#!/bin/sh
# SPDX-License-Identifier: MIT
#
# unzip and tar, sed -i, saving by rename as editors do it, find, du, and somebody who
# follows a file that another appends to.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 zip unzip tar

mkdir "$work/tree" || exit 99
run 0 "$tree" make "$work/tree" 400 6
tar -C "$work/tree" -cf "$work/tree.tar" .
(cd "$work/tree" && run 0 zip -q -r "$work/tree.zip" .) || exit 1

make_image vol.img 32 131072 -s 4
serve "$work/vol.img" "$work/m"
cd "$work/m" || exit 99
export LC_ALL=C.UTF-8

mkdir tar zip
run 0 tar -C tar -xf "$work/tree.tar"
run 0 unzip -q -d zip "$work/tree.zip"
same "tar" "$work/tree" tar
same "unzip" "$work/tree" zip
run 0 tar -C tar -cf again.tar .
mkdir "$work/again" && run 0 tar -C "$work/again" -xf again.tar
same "an archive made there" "$work/tree" "$work/again"
(cd zip && run 0 zip -q -r ../again.zip .) || exit 1
run 0 unzip -tq again.zip

# lists agree with the original
for where in "$work/tree" tar; do
    (cd "$where" && find . -type f -printf '%s %p\n' | sort) >"$work/list"
    [ "$where" = tar ] || mv "$work/list" "$work/wanted"
done
holds "find and sizes" cmp "$work/wanted" "$work/list"
holds "du counts clusters" python3 - <<'P'
import os, subprocess
cluster = os.statvfs(".").f_frsize
want = 0
for where, _, names in os.walk("tar"):
    want += os.stat(where).st_blocks * 512
    for name in names:
        size = os.stat(os.path.join(where, name)).st_size
        want += -(-size // cluster) * cluster
got = int(subprocess.check_output(["du", "-s", "-B1", "tar"]).split()[0])
assert got == want, (got, want)
P
find tar -depth -name '*.TXT' -delete
is "" find tar -name '*.TXT'
find zip -type d -empty -delete

# sed -i
seq 1000 >numbers
run 0 sed -i 's/^9/nine/; /^5/d' numbers
is "$(seq 1000 | sed 's/^9/nine/; /^5/d' | cksum)" sh -c "cksum <numbers"
run 0 sed -i.bak s/nine/9/ numbers
is 2 sh -c "ls numbers* | wc -l"

# saved by rename, a hundred times; whoever looks sees one of the versions
holds "save by rename" python3 - <<'P'
import os, threading
stop, bad = threading.Event(), []
def look():
    while not stop.is_set():
        try:
            with open("document.txt") as file:
                text = file.read()
        except FileNotFoundError as error:
            bad.append(error)
            return
        if len(text) != 5000 or len(set(text)) != 1:
            bad.append(text[:10])
            return
def save(letter):
    with open(".document.txt.swp", "w") as file:
        file.write(letter * 5000)
        file.flush()
        os.fsync(file.fileno())
    os.rename(".document.txt.swp", "document.txt")
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
save("x")
readers = [threading.Thread(target=look) for _ in range(2)]
[reader.start() for reader in readers]
for i in range(100):
    save("abcdefghij"[i % 10])
stop.set()
[reader.join() for reader in readers]
assert not bad, bad
P
is "jjjjj" head -c 5 document.txt
holds "no swap file is left" test ! -e .document.txt.swp

# tail -f
: >log
tail -n +1 -f log >"$work/followed" 2>&1 &
follower=$!
for i in 1 2 3 4 5; do echo "line $i" >>log; done
tries=0
until [ "$(grep -c line "$work/followed")" = 5 ]; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || fail "tail -f saw $(cat "$work/followed")"
    sleep 0.05
done
kill $follower

outlives_unmounting
