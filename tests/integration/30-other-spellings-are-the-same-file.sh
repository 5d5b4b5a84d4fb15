#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernel's name cache tells cases apart and FAT does not. Whatever is done by one
# spelling shows at once by every other, only the case of a name can be changed, and
# no removed file haunts the cache.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3

make_image vol.img 16 16384
serve "$work/vol.img" "$work/m"
cd "$work/m" || exit 99

# one content
echo hello >foo
is hello cat foo
is hello cat FOO
echo longer-text >FOO
is longer-text cat foo
echo x >>foo
is 14 stat -c %s FOO
is x tail -n 1 Foo
truncate -s 3 fOo
is 3 stat -c %s foo
is lon cat FOO
touch -d 2001-02-03T04:05:06Z FOO
is 981173106 stat -c %Y foo
chmod a-w Foo
is 555 stat -c %a foo
chmod u+w foo
is 755 stat -c %a FOO

# one page cache, mapped or not
holds "shared mappings of two spellings agree" python3 - <<'P'
import mmap, os
one, two = os.open("foo", os.O_RDWR), os.open("FOO", os.O_RDWR)
os.pwrite(one, b"0123456789", 0)
a, b = mmap.mmap(one, 10), mmap.mmap(two, 10)
b[0:3] = b"abc"
assert a[0:4] == b"abc3"
os.pwrite(one, b"xyz", 0)
assert b[0:4] == b"xyz3"
b.flush()
# a file that is reached without a name
held = os.open("fOO", os.O_PATH)
bare = os.open("/proc/self/fd/%d" % held, os.O_RDWR)
os.pwrite(bare, b"!", 9)
assert os.pread(bare, 10, 0) == b"xyz345678!"
P

# T1: only the case of a name
mv foo FOO || fail "mv foo FOO"
is FOO ls
mkdir dir && echo in >dir/in
mv -T dir DIR || fail "mv -T dir DIR"
is "$(printf 'DIR\nFOO')" ls
is in cat dir/IN
refused "subdirectory of itself|Invalid argument" mv DIR dIr/below
is in cat DIR/in

# T2: what is removed by one spelling is gone by all
for name in one two three; do
    echo a >$name && cat $name >/dev/null && ls -l >/dev/null
done
rm ONE
holds "one is gone" test ! -e one
echo a >known && stat known KNOWN KNOWN KNOWN known >/dev/null && cat known >/dev/null
rm KNOWN
holds "known is gone" test ! -e known
mkdir par && echo a >par/x && stat par PAR PAR PAR >/dev/null && cat par/x >/dev/null
rm PAR/x
holds "par/x is gone" test ! -e par/x
rmdir pAr
holds "par is gone" test ! -e par
echo b >other
mv other TWO
is b cat two
mkdir -p a/b/c && echo 1 >a/b/c/f && cat a/b/c/f A/B/c/F >/dev/null
rm A/b/C/F
holds "a/b/c/f is gone" test ! -e a/b/c/f
mv THREE four
holds "three is gone" test ! -e three
echo again >Three
is again cat three
rm tHREE four
holds "Three is gone" test ! -e Three

# a process in a directory keeps its place while others come by another way
(cd a/b && ls ../../A/B ../../A/b >/dev/null && is "$work/m/a/b" /bin/pwd) || exit 1

# trailing dots are not part of a name
echo y >y && mv y z.
is y cat z
rm z
holds "z. is gone" test ! -e z.

# eight at once, by three spellings
holds "nobody is turned away" python3 - <<'P'
import threading
errors = []
def work(n):
    try:
        for i in range(100):
            with open(("busy", "BUSY", "Busy")[(n + i) % 3], "a") as f:
                f.write("line\n")
    except OSError as error:
        errors.append(error)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert not errors, errors
P
is 800 grep -c line busy

find . -type f | sort | xargs sha256sum >"$work/before"
cd "$work" || exit 99
release "$work/m"
sound "$work/vol.img"
serve "$work/vol.img" "$work/m" -o ro
(cd m && holds "all is there after a remount" sha256sum -c "$work/before") || exit 1
release "$work/m"
