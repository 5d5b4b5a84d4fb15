#!/bin/sh
# SPDX-License-Identifier: MIT
#
# One line for each way in which a FAT driver in user space was seen to lose or leak
# data, hang, or lie.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat mtype python3 fallocate
export LC_ALL=C.UTF-8

for volume in "12 15360 -s 8" "16 65536 -s 8" "32 65536 -s 1"; do
    enter_new "$volume"

    # no stale tail behind a rewrite
    head -c 100000 /dev/zero | tr '\0' A >file
    echo short >file
    is short cat file
    is 6 stat -c %s file

    # rename over what exists
    echo 1 >tmp && echo 2 >existing
    run 0 mv tmp existing
    is 1 cat existing
    holds "tmp is gone" test ! -e tmp
    run 0 mkdir dir emptydir
    run 0 mv -T dir emptydir
    echo x >emptydir/x && mkdir dir
    refused "not empty" mv -T dir emptydir
    refused "overwrite directory|Is a directory" mv -T existing dir
    refused "overwrite non-directory|Not a directory" mv -T dir existing

    # removing what is not empty
    refused "Directory not empty" rmdir emptydir
    refused "Is a directory" unlink emptydir
    rm -r emptydir dir

    # nothing of a deleted file shows in what has grown
    head -c 4000000 /dev/zero | tr '\0' Z >secret
    sync -f . && sync secret && rm secret && sync .
    truncate -s 1500000 grown
    echo end | dd of=hole bs=1 seek=1500000 status=none
    echo a >extended && truncate -s 700000 extended
    fallocate -l 300000 asked || fail "fallocate"
    for name in grown hole extended asked; do
        holds "$name shows nothing" sh -c "! grep -q Z $name"
    done
    is 1500004 stat -c %s hole
    is end tail -c 4 hole
    is 0 sh -c "head -c 1500000 hole | tr -d '\\0' | wc -c"
    is 300000 stat -c %s asked
    fallocate -n -l 200000 file || fail "fallocate --keep-size"
    is 6 stat -c %s file
    rm grown hole extended asked

    # times
    echo x >now && touch -d 1999-12-31T12:00:00Z now
    is 946641600 stat -c %Y now
    touch now
    holds "touch means now" python3 -c "
import os, time
s = os.stat('now')
assert abs(s.st_mtime - time.time()) < 4, s
assert abs(s.st_atime - time.time()) < 2 * 86400, s"
    touch -d 1970-01-01T00:00:00Z now && is 315532800 stat -c %Y now
    touch -d 2200-01-01T00:00:00Z now && is 2107-12-31 date -d "@$(stat -c %Y now)" +%F
    is 2 sh -c "touch -m -d 2020-02-02T02:02:02Z now && stat -c %y now | cut -c 19"
    holds "the birth time is known" python3 -c "
import subprocess, time
made = int(subprocess.check_output(['stat', '-c', '%W', 'now']))
assert abs(made - time.time()) < 120, made"

    # modes and owners
    run 0 chmod 644 now
    run 0 chmod 444 now
    is 555 stat -c %a now
    run 0 chmod 755 now
    run 0 cp -p now now2
    run 0 cp -a now now3
    is "$(stat -c %Y now)" stat -c %Y now3
    run 0 chown 0:0 now
    refused "not permitted" chown 12:34 now
    refused "not permitted" ln -s now link
    refused "not permitted" ln now link
    refused "not permitted" mkfifo pipe

    # sizes
    cluster=$(stat -f -c %S .)
    head -c 1 /dev/zero >one
    is "$((cluster / 512))" stat -c %b one
    is 0 sh -c ": >none && stat -c %b none"
    holds "df knows sizes" python3 - "$kib" <<'P'
import os, sys, time
s = os.statvfs(".")
total = s.f_blocks * s.f_frsize
assert int(sys.argv[1]) * 1024 * 0.9 < total <= int(sys.argv[1]) * 1024, total
before = s.f_bfree
with open("weight", "wb") as file:
    file.write(bytes(1000000))
    os.fsync(file.fileno())
s = os.statvfs(".")
assert before - s.f_bfree == -(-1000000 // s.f_frsize), (before, s.f_bfree)
os.unlink("weight")  # what may be reused only after a commit is room already
end = time.monotonic() + 10  # the kernel forgets a file behind unlink(2)'s back
while os.statvfs(".").f_bfree != before:
    assert time.monotonic() < end
assert s.f_namemax >= 255
P

    # names
    echo acute >"café" && is acute cat "CAFÉ"
    echo omega >"Ω" && is omega cat "ω"
    echo astral >"😀 and 𝄞.txt" && is astral cat "😀 AND 𝄞.TXT"
    long=$(printf '%0255d' 7) && echo 255 >"$long" && is 255 cat "$long"
    refused "File name too long" touch "${long}1"
    wide=$(printf '%0255d' 7 | sed 's/0/é/g') # 255 units are 509 bytes
    refused "File name too long" touch "${wide}é"
    echo wide >"$wide" && is wide cat "$wide"
    faces=$(printf '%0127d' 0 | sed 's/0/😀/g')
    echo faces >"$faces" && is faces cat "$faces"
    refused "File name too long" touch "$faces😀"
    for name in 'a:b' 'a*b' 'a?b' 'a<b' 'a|b' 'a"b' 'a\b'; do
        refused "Invalid argument" touch "$name"
    done
    refused "Invalid argument" touch "$(printf 'a\001b')"
    refused "Invalid argument" touch "$(printf 'a\377b')"
    refused "Invalid argument" touch "trailing "

    ls | sort >"$work/names"
    cd "$work" || exit 99
    release "$work/m"
    sound "$work/vol.img"
    serve "$work/vol.img" "$work/m" -o ro
    is "$(cat "$work/names")" sh -c "ls '$work/m' | sort"
    is short cat "$work/m/FILE"
    is wide cat "$work/m/$wide"
    is 0 stat -c %b "$work/m/none"
    release "$work/m"
    is acute mtype -i "$work/vol.img" "::café"
    rm "$work/vol.img"
done
