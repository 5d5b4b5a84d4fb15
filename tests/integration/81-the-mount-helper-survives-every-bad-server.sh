#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A server that breaks off, hangs, repeats itself or sends nonsense, at each step: the
# helper says so, ends with the right status, and nothing stays mounted.
. "$(dirname "$0")/mount-helper.sh"

# cut, and hung, before each step; the mount that was made goes again
fails 1 "the service turned us away" close
set -- hello "hello argv" greet "greet open=$work/img" "greet type=0" \
    "greet type=0 name=vfat" "greet type=0 name=vfat mntp=$m" \
    "greet type=0 name=vfat mntp=$m opts=default_permissions" \
    "greet type=0 name=vfat mntp=$m mtab=x-a" "greet ordinary=$m"
for steps in "$@"; do
    # shellcheck disable=SC2086 # steps without blanks
    fails 1 "ended without saying goodbye" $steps close
    # shellcheck disable=SC2086
    fails 1 "(has said nothing for 1 seconds|did not say goodbye in time)" $steps hang
done
says "$m is unmounted again"
fails 1 "said nothing for 1 seconds" hang

# a socket that nobody answers, not even by accepting
plays pause=30
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=1
says "said nothing"
dismiss "$peer"
python3 -c "
import socket, time
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind('$sockets/full')
listener.listen(0)
first = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
first.connect('$sockets/full')
open('$work/full', 'w')
time.sleep(30)" &
full=$!
servers="$servers $full"
until [ -e "$work/full" ]; do sleep 0.02; done
run 1 fatward-mount -t full "$work/img" "$m" --timeout=1
says "$sockets/full: Connection timed out"
dismiss "$full"

# goodbyes
fails 1 "before anything was mounted" greet bye=0
fails 1 "failed \(1\)" greet bye=1
fails 1 "failed \(2\)" greet bye=2
fails 1 "failed \(256\)" greet bye=256
fails 1 "failed \(4294967295\)" greet bye=0xffffffff
fails 1 "is unmounted again" greet "ordinary=$m" bye=1
fails 1 "is unmounted again" greet "ordinary=$m" bye=2
for malformed in 42594545 4259454500 4259454500000000ff; do
    fails 1 "BYEE .*length" greet "raw=$malformed" recv
    gave "^REPL 22$"
    fails 1 "is unmounted again" greet "ordinary=$m" "raw=$malformed"
done

# what is no message ends the conversation, without an answer
for nonsense in 41 4d4e54 58585858 00000000 52504c59 53414654000100010000 \
    534146540001000100000003 46494c450000000061726700 5245504c00000000 \
    4c41535400010000; do
    fails 1 "sent a|'s (SAFT|LAST|FILE|REPL) has" greet "raw=$nonsense" recv
    gave "^END$|^GONE"
    fails 1 "is unmounted again" greet "ordinary=$m" "raw=$nonsense"
done
fails 1 "message of 6553[67] bytes" greet "fill=4f505453*65537" recv
fails 1 "answered the greeting with" recv raw=5245504c00000000
fails 1 "answered the greeting with LAST, which" recv raw=4c41535400010001
fails 1 "answered the greeting with LAST, which" recv raw=4c415354000100
fails 1 "speaks version 2" hello=2
fails 1 "speaks version 0" hello=0

# a malformed command is answered, and the next one heard
is_refused()
{
    fails 1 "$1" greet "raw=$2" recv bye=1
    gave "$3"
}
long=$(head -c 4100 /dev/zero | tr '\0' a)
is_refused "OPEN" 4f50454e "^FILE 22 \?$"
is_refused "OPEN" 4f50454e0000000000000000000000000000000000 "^FILE 22 \?$"
is_refused "OPEN" 4f50454e000000000000000000000000000000006161 "^FILE 22 \?$"
is_refused "BDEV" 42444556000000000000000000000000000000006161 "^FILE 22 \?$"
is_refused "OPEN" 4f50454e00000000000000000000000000000000610061 "^FILE 22 \?$"
is_refused "a: Invalid argument" 4f50454e000000000000000000000002000000006100 "^FILE 22 a$"
is_refused "TYPE" 54595045 "^REPL 22$"
is_refused "TYPE" 5459504500000000ff "^REPL 22$"
is_refused "TYPE" 5459504500000002 "^REPL 22$"
is_refused "NAME" 4e414d45 "^REPL 22$"
is_refused "NAME" 4e414d4500 "^REPL 22$"
is_refused "NAME" 4e414d456161 "^REPL 22$"
is_refused "NAME" 4e414d4561006100 "^REPL 22$"
is_refused "MNTP" 4d4e5450 "^REPL 22$"
is_refused "MNTP" 4d4e54504000000000 "^REPL 22$"
is_refused "MNTP" 4d4e5450400000016100 "^REPL 22$"
is_refused "MNTP" 4d4e5450400000006161 "^REPL 22$"
is_refused "OPTS" 4f50545300 "^REPL 22$"
is_refused "OPTS" 4f5054536161 "^REPL 22$"
is_refused "MTAB" 4d54414200 "^REPL 22$"
is_refused "MTAB" 4d5441426161 "^REPL 22$"
is_refused "DOIT" 444f4954 "^REPL 22$"
is_refused "DOIT" 444f495400000006ff "^REPL 22$"
fails 1 "" greet "open=$long" bye=1
gave "^FILE 22 aaaa"
fails 1 "" greet "fill=4f505453*65536" recv bye=1
gave "^REPL 22$"

# what asks for too much, too late, twice or out of order
# answers NUMBERS STEP...: the REPL and FILE errors after the greeting
answers()
{
    numbers=$1
    shift
    plays greet "$@"
    fatward-mount -t vfat "$work/img" "$m" --timeout=5 -o "fsname=$work/other,uid=5" \
        >"$work/out" 2>"$work/err"
    helper_status=$?
    ended
    is "$numbers" sh -c "sed -n 's/^REPL //p; s/^FILE \([0-9]*\) .*/\1/p' '$work/peer' | tail -n +3 | tr '\n' ' '"
    if [ "$helper_status" -ne 0 ]; then nothing_mounted; else gone; fi
}
answers "0 22 " type=0 type=0 bye=1
answers "0 22 22 " name=vfat type=0 name=vfat bye=1
answers "0 0 22 " type=0 "mntp=$m" "mntp=$m" bye=1
answers "22 22 22 22 " "mntp=$m/" "mntp=/" mntp=/etc "mntp=$m@1" bye=1
answers "21 0 " "mntp=$m@0x8000" "mntp=$m" bye=1
answers "22 " doit=6 bye=1
answers "0 22 0 22 " name=vfat doit=6 "mntp=$m" "open=$work/img" bye=1
answers "0 0 0 16 22 22 22 22 22 " name=vfat "mntp=$m" doit=6 doit=6 type=0 opts=allow_other \
    mtab=x-a "open=$work/img" name=vfat bye=1
answers "0 0 22 22 22 22 0 " name=vfat "mntp=$m" doit=32 doit=4096 doit=8192 doit=0x100000 doit=6 bye=0
answers "22 22 22 22 22 22 22 0 22 " opts=fd=3 opts=user_id=1 opts=rootmode=1 opts=x \
    opts=source=y opts=blksize=512 opts=max_read=-1 opts=default_permissions,ro opts=ro bye=1
answers "22 22 22 22 0 22 " mtab=loop=/dev/loop0 mtab=uhelper=x mtab=X-mount.mkdir \
    mtab=x-mount.mkdir mtab=x-a,x-b mtab=x-a bye=1

# only what the command line names is opened, and only files
echo secret >"$work/secret"
: >"$work/other"
answers "1 1 1 1 1 0 0 " "open=$work/secret" open=/etc/passwd "open=$work/./img" open=vfat \
    "open=$work" "open=$work/img@0" "open=$work/other" bye=1
says "$work/secret: Operation not permitted"
answers "1 1 1 1 1 1 22 0 " "open=$m" "open=$m@0" "open=$m@0x10000" "open=$work/img@0x42" \
    "open=$work/img@0x202" "open=$work/img@0x200000" "open=$work/img@3" "open=$work/img@0x82" bye=1
is image cat "$work/img"
rm "$work/other" && mkdir "$work/other"
answers "21 21 " "open=$work/other" "open=$work/other@0" bye=1
rmdir "$work/other" && : >"$work/other"

# no more are files that happen to have the name of a value, or of the list
cd "$work" || exit 99
list="fsname=$work/other,uid=5"
: >5 && : >./-o && mkdir -p "./fsname=$work" && : >"./$list" || exit 99
answers "1 1 1 " open=5 open=-o "open=$list" bye=1
cd / || exit 99

# nor for writing, if the mount was asked to be read-only
plays greet "open=$work/img@2" "open=$work/img@1" "open=$work/img@0" bye=1
run 1 fatward-mount -t vfat "$work/img" "$m" -o ro
ended
is "30 30 0 " sh -c "sed -n 's/^FILE \([0-9]*\) .*img.*/\1/p' '$work/peer' | tr '\n' ' '"

# the source of a mount of root's is opened by whoever unmounts it
answers "1 1 0 " name=/dev/watchdog "name=$work/secret" "name=$work/other" bye=1
answers "0 1 1 0 " type=1 name=5 name=vfat "name=$work/img" bye=1

# open to others only if nobody said otherwise, and labels only as they stand there
plays greet opts=allow_other opts=context=a opts=context=abc bye=1
run 1 fatward-mount -t vfat "$work/img" "$m" -o noallow_other,context=abc
ended
is "1 1 0 " sh -c "sed -n 's/^REPL //p' '$work/peer' | tr '\n' ' '"
gave "^SAFT 1 1 2$"
mkfifo "$work/fifo"
mv "$work/other" "$work/other2" && ln -s /dev/zero "$work/other"
answers "22 15 40 " "open=$work/other" "bdev=$work/img" "open=$work/other@0x20000" bye=1
rm "$work/other" && mv "$work/fifo" "$work/other"
answers "22 " "open=$work/other@0" bye=1

# a descriptor that nobody asked for
answers "0 0 " stray name=vfat bye=1

# what only the kernel can refuse, in its own words
plays greet type=0 name=vfat "mntp=$m" opts=max_read=9999999999 doit=6 bye=1
run 32 fatward-mount -t vfat "$work/img" "$m"
says "the kernel: fuse: .*max_read"
says "DOIT of $m: (Invalid argument|Numerical)"
ended
nothing_mounted

# the mount that is taken off is the one that was made, whatever became of its place
mkdir "$work/parent" "$work/parent/place" "$work/parent/other"
plays greet type=0 name=vfat "mntp=$work/parent/place" doit=6 pause=1 bye=1
fatward-mount -t vfat "$work/img" "$work/parent/place" >"$work/out" 2>"$work/err" &
helper=$!
until grep -q " $work/parent/place " /proc/self/mountinfo; do sleep 0.02; done
mv "$work/parent" "$work/moved"
mkdir "$work/parent" "$work/parent/place"
mount -t tmpfs exchanged "$work/parent/place"
mount -t tmpfs upon "$work/moved/place"
wait "$helper"
says "is unmounted again"
ended
holds "what came later stays" grep -q " $work/parent/place .* exchanged" /proc/self/mountinfo
holds "the mount has gone" sh -c "! grep fuse.vfat /proc/self/mountinfo"

# Ctrl-C between the mount and the goodbye leaves no mount behind
plays greet "ordinary=$m" pause=1 bye=1
fatward-mount -t vfat "$work/img" "$m" >"$work/out" 2>"$work/err" &
helper=$!
until grep -q " $m " /proc/self/mountinfo; do sleep 0.02; done
kill -INT "$helper"
kill -TERM "$helper"
kill -HUP "$helper"
wait "$helper"
says "is unmounted again"
ended
nothing_mounted

# letters that a terminal would obey
plays greet "open=$(printf 'a\033[31mb')" bye=1
run 1 fatward-mount -t vfat "$work/img" "$m"
ended
says 'a\\x1b\[31mb: Operation not permitted'

# asking for ever
plays greet ordinary="$m" type=0 pause=0.6 type=0 pause=0.6 type=0 bye=0
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=1
says "(goodbye in time|said nothing)"
nothing_mounted

# ... or for long, or for what it can't have
plays greet pause=0.8 type=0 pause=0.8 type=0 pause=0.8 type=0 pause=0.8 type=0 pause=0.8 type=0 pause=0.8 type=0 bye=1
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=1
says "(did not come to the mount in time|has said nothing for 1 seconds)"
dismiss "$peer"
set --
for number in 1 2 3 4 5 6 7 8 9 10; do
    set -- "$@" open=/x type=7 doit=6
done
fails 32 "asks for too much" greet "$@" "ordinary=$m" bye=0
[ "$(wc -l <"$work/err")" -le 22 ] || fail "it says too much"

# ... or for what it has already, again and again
# shellcheck disable=SC2046
plays greet $(yes "open=$work/img@0" | head -n 10001) bye=0
run 1 fatward-mount -t vfat "$work/img" "$m" --timeout=30
says "the server comes to no end"
nothing_mounted
ended

# the kernel and the server are to have the same device
truncate -s 1M "$work/a" "$work/b"
attach "$work/a"
first=$loop
attach "$work/b"
mkdir "$work/devices" && mount -t tmpfs tmpfs "$work/devices" || exit 99
cp -a "$first" "$work/devices/card"
plays greet "open=$work/devices/card@0" type=1 "name=$work/devices/card" "mntp=$m" \
    opts=blksize=512 pause=1 doit=6 bye=0
fatward-mount -t vfat "$work/devices/card" "$m" >"$work/out" 2>"$work/err" &
helper=$!
until grep -q "^REPL 0" "$work/peer"; do sleep 0.02; done
rm "$work/devices/card" && cp -a "$loop" "$work/devices/card"
wait "$helper"
helper_status=$?
is 1 echo "$helper_status"
says "DOIT of $m: Stale file handle"
says "is unmounted again"
ended
nothing_mounted
plays greet "open=$work/devices/card@0" pause=1 "open=$work/devices/card@0" bye=1
fatward-mount -t vfat "$work/devices/card" "$m" >"$work/out" 2>"$work/err" &
helper=$!
until grep -q "^FILE 0 $work/devices/card" "$work/peer"; do sleep 0.02; done
rm "$work/devices/card" && cp -a "$first" "$work/devices/card"
wait "$helper"
ended
gave "^FILE 116 $work/devices/card$"
