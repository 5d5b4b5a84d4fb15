#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The kernel goes on to believe a name that was removed or renamed by another spelling,
# of the file or of its directory, until it is told. Else what is written to the old name
# lands in another file, or in one that is gone; a removed file keeps its room. With the
# kernel there is, and as on one before 6.16, which has to be told name by name.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3
shim=$(echo "$FATWARD_BIN_DIR" | tr : '\n' | sed 's|$|/libolder-shim.so|' | xargs ls 2>/dev/null | head -n 1)
[ -n "$shim" ] || fail "the shim was not built"

serve_older() # IMAGE DIRECTORY
{
    mkdir -p "$2"
    LD_PRELOAD="$shim" fatward -f "$1" "$2" >"$work/server.log" 2>&1 &
    server=$!
    servers="$servers $server"
    wait_for_mount "$2" "$server" || fail "it did not mount"
}

# soon SENTENCE COMMAND...: older kernels are told a moment after the answer
soon()
{
    sentence=$1
    shift
    tries=0
    until "$@" >"$work/out" 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || fail "not so: $sentence"
        sleep 0.02
    done
}

# A name that is gone is free for a new file, and nobody else's is written to.
taken_anew() # NAME OLD-CONTENT NEW-NAME
{
    soon "$1 is gone" test ! -e "$1"
    echo new >"$1"
    is "$2" cat "$3"
    is new cat "$1"
}

names_are_right()
{
    # the kernel has moved what it remembers of foo, and is not asked by bar
    echo renamed >foo
    mv foo bar
    mv BAR baz
    taken_anew bar renamed baz
    # what is open or a current directory stays in the kernel's cache
    mkdir dir
    echo open >dir/x
    exec 5<dir/x
    mv DIR/x y
    taken_anew dir/x open y
    exec 5<&-
    mkdir dir/sub
    echo below >dir/sub/z
    (cd dir/sub && mv ../../DIR/SUB/z ../../z && cd ../.. && taken_anew dir/sub/z below z) || exit 1
    echo moved >y2
    mv y2 DIR/y2
    is moved cat dir/y2
    rm dir/y2
    soon "DIR/y2 is gone" test ! -e DIR/y2
    # what is known of a directory is what it is by any spelling
    mkdir counted && is 2 stat -c %h counted
    mkdir COUNTED/sub
    soon "counted has three links" sh -c '[ "$(stat -c %h counted)" = 3 ]'
    rm -r counted
    # a directory renamed by another spelling takes along what is in it
    mkdir old && echo inside >old/f && cat old/f >/dev/null
    mv OLD fresh
    soon "old is gone" test ! -e old
    is inside cat fresh/f
    mkdir old && echo new >old/f
    is inside cat fresh/f
    # a directory renamed over itself is not the one that it replaced
    mkdir two && echo in >two/f
    exec 5<TWO/f
    mv -T two TWO && mv -T TWO Two
    holds "TWO is alive" touch TWO/g
    exec 5<Two/f
    mv -T TWO Two
    holds "Two is alive" touch Two/h
    is "$(printf 'f\ng\nh')" ls two
    exec 5<&-
    rm -r Two
    # replaced
    echo 1 >target && cat target >/dev/null && mv target target2
    echo 2 >source
    mv source TARGET2
    soon "the other content shows" grep -q 2 target2
    # two that change places keep their spellings
    echo 1 >one
    echo 2 >two
    cat one two >/dev/null
    holds "they change places" python3 -c '
import ctypes
assert ctypes.CDLL(None).renameat2(-100, b"one", -100, b"TWO", 2) == 0'
    is "$(printf '2\n1')" cat one two
    rm two
    soon "TWO is gone" test ! -e TWO
    is 2 cat one
}

# What is removed by another spelling has no links, and gives its room back.
files_are_given_up()
{
    exec 5<one
    stat -L /proc/self/fd/5 >/dev/null
    rm ONE
    soon "it has no links" sh -c '[ "$(stat -L -c %h /proc/self/fd/5)" = 0 ]' 5<&5
    is 2 cat /proc/self/fd/5
    exec 5<&-
    sync -f .
    free=$(stat -f -c %f .)
    for removal in "rm BIG" "rm DIR/big" "rm DIR/BIG"; do
        set -- $removal
        where=$(echo "$2" | tr 'A-Z' 'a-z')
        head -c 100000 /dev/zero >"$where"
        cat "$where" >/dev/null
        $removal
    done
    for seen in BIG DIR/big dir/BIG; do
        where=$(echo "$seen" | tr 'A-Z' 'a-z')
        head -c 100000 /dev/zero >"$where"
        stat "$seen" >/dev/null
        rm "$where"
    done
    soon "the room is there again" sh -c "[ \$(stat -f -c %f .) -ge $free ]"
}

for kernel in this older; do
    make_image "$kernel.img" 16 16384
    if [ $kernel = this ]; then
        serve "$work/this.img" "$work/m"
    else
        serve_older "$work/older.img" "$work/m"
    fi
    (cd "$work/m" && names_are_right && files_are_given_up) || exit 1

    # who only looks takes nobody's mount off
    mkdir "$work/m/place" && echo a >"$work/m/seen" || exit 99
    mount -t tmpfs tmpfs "$work/m/place" || exit 99
    touch "$work/m/place/on-top"
    stat "$work/m/SEEN" "$work/m/seen" "$work/m/Dir" "$work/m/dir" >/dev/null
    holds "the mount stays" test -e "$work/m/place/on-top"
    umount "$work/m/place"

    release "$work/m"
    sound "$work/$kernel.img"
done

# If the kernel learns nothing at all, no byte goes to a file that has been removed.
make_image deaf.img 16 16384
export DROP_NOTICES=1
serve_older "$work/deaf.img" "$work/m"
unset DROP_NOTICES
cd "$work/m" || exit 99
for name in a b c; do
    echo old >$name && cat $name >/dev/null
    rm "$(echo $name | tr a-c A-C)"
    holds "the kernel knows nothing of it" test -e $name
done
echo new >a
is new cat a
refused "No such file" cat b
holds "nothing is truncated" python3 -c '
import os
try:
    os.truncate("c", 0)
    assert False
except FileNotFoundError:
    pass'
is a ls
# but what is open can be opened again, and changed
holds "it can be opened again" python3 - <<'P'
import os
held = os.open("held", os.O_CREAT | os.O_RDWR)
os.write(held, b"0123456789")
os.unlink("held")
again = os.open("/proc/self/fd/%d" % held, os.O_RDWR)
os.pwrite(again, b"!", 3)
os.ftruncate(held, 5)
os.fchmod(held, 0o555)
os.utime(held, (1e9, 1e9))
os.truncate("/proc/self/fd/%d" % held, 4)
os.fsync(held)
assert os.pread(held, 10, 0) == b"012!" and os.fstat(again).st_nlink == 0
P
cd "$work" || exit 99
release "$work/m"
sound "$work/deaf.img"
