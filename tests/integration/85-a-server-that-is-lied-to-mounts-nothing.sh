#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The server as systemd starts it, with a mount helper that breaks off, lies or passes
# what is no volume at every step: it says why in one tame line, ends with 1, and
# leaves no process and no mount.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat systemd-socket-activate python3 timeout
helper=$(cd "$(dirname "$0")" && pwd)/service-helper
m=$work/m
log=$work/log
make_image vol.img 16 16384
mkdir "$m" || exit 99

systemd-socket-activate --accept --seqpacket -l "$work/socket" "$(command -v fatward)" \
    2>>"$log" &
servers="$servers $!"
tries=0
until [ -S "$work/socket" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 250 ] || { echo "SKIP: no socket can be had" && cat "$log" && exit 77; }
    sleep 0.02
done

news() { tail -n "+$((seen + 1))" "$log"; }

# connect ARGUMENT...: one conversation; the helper's own status is in $status
connect()
{
    seen=$(wc -l <"$log")
    timeout 60 "$helper" "$@" >"$work/out" 2>"$work/err"
    status=$?
    ! grep -q Traceback "$work/err" || { cat "$work/err" && fail "the helper"; }
}

# leaves STATUS: the server of the last conversation ends with it
leaves()
{
    tries=0
    until news | grep -q 'died with code'; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || { news && fail "the server is still there"; }
        sleep 0.02
    done
    news | grep -q "died with code $1\$" || { news && fail "the server did not end with $1"; }
}

# lied_to REGEX ARGUMENT...: the server ends with 1, says so, and nothing is mounted
lied_to()
{
    regex=$1
    shift
    connect "$@"
    leaves 1
    news | grep -E '(fatward|fuse): ' | grep -qE -- "$regex" ||
        { news && fail "nothing like '$regex' was said: $*"; }
    ! news | LC_ALL=C grep -q '[^ -~]' || { news | cat -v && fail "not escaped: $*"; }
    ! news | grep -q '^<0>' || { news && fail "a line of somebody's: $*"; }
    ! grep -q " $m " /proc/self/mountinfo || fail "mounted: $*"
}

goodbye() # STATUS: what the server told the helper; 9 is nothing
{
    [ "$status" -eq "$1" ] || { cat "$work/out" && fail "goodbye $status instead of $1"; }
}

# as it should be, also if the helper takes its time
for late in "" "--at open --how delay"; do
    # shellcheck disable=SC2086 # two words
    connect --mount $late "$work/socket" "$work/vol.img" "$m" -o uid=7
    goodbye 0
    is 7 stat -c %u "$m"
    echo data >"$m/file" || fail "no file can be made"
    run 0 umount.fuse.fatward "$m"
    leaves 0
    ! news | grep -v '^<6>' | grep -q 'fatward: ' || { news && fail "there was nothing to be said"; }
    sound "$work/vol.img"
done
sum=$(sha256sum <"$work/vol.img")

# every step cut off or spoilt
for step in hello argv fusedev open type name mntp opts doit; do
    case $step in
    hello) said=greeting told=9 ;;
    argv | fusedev) said=$step told=9 ;;
    open) said=OPEN told=1 ;;
    *) said=$(echo $step | tr '[:lower:]' '[:upper:]') told=1 ;;
    esac
    lied_to "$said: .*reset" --at $step --how close "$work/socket" "$work/vol.img" "$m"
    lied_to "$said: .*reset" --at $step --how empty "$work/socket" "$work/vol.img" "$m"
    for how in short long unknown large kind; do
        lied_to "$said: " --at $step --how $how "$work/socket" "$work/vol.img" "$m"
        goodbye $told
    done
    [ $step = doit ] ||
        lied_to "reset|Broken pipe" --at $step --how exit "$work/socket" "$work/vol.img" "$m"
done
for step in argv fusedev open; do
    for how in other none two both twice; do
        lied_to "mount helper: " --at $step --how $how "$work/socket" "$work/vol.img" "$m"
    done
done
lied_to "greeting: .*version" --versions 2-3 "$work/socket" "$work/vol.img" "$m"

# what the helper may not or cannot do
lied_to "TYPE: refused: Operation not permitted" --error type=1 "$work/socket" "$work/vol.img" "$m"
lied_to "NAME: refused: Invalid" --error name=22 "$work/socket" "$work/vol.img" "$m"
lied_to "MNTP: refused: Permission denied" --error mntp=13 "$work/socket" "$work/vol.img" "$m"
lied_to "OPTS: refused: Operation not" --error opts=1 "$work/socket" "$work/vol.img" "$m"
lied_to "DOIT: refused: Operation not" --error doit=1 "$work/socket" "$work/vol.img" "$m"
goodbye 1
lied_to "DOIT: refused: .*busy" --error doit=16 "$work/socket" "$work/vol.img" "$m"
lied_to "DOIT: .*errno" --error doit=5000 "$work/socket" "$work/vol.img" "$m"
lied_to "DOIT: refused" --error doit=4000 "$work/socket" "$work/vol.img" "$m"
lied_to "vol.img: can't be opened: No such file" --error open=2 "$work/socket" "$work/vol.img" "$m"
lied_to "missing: can't be opened: No such file" "$work/socket" "$work/missing" "$m"
lied_to "m: can't be opened: Is a directory" "$work/socket" "$m" "$m"

# what is no medium, or no volume
: >"$work/empty"
echo "this is no volume" >"$work/text"
head -c 1000000 /dev/urandom >"$work/random"
for name in empty text random; do
    lied_to "$name: .*(FAT|sector|short|small|bytes)" "$work/socket" "$work/$name" "$m"
    goodbye 1
done
for what in pipe /dev/null /dev/fuse; do
    lied_to "neither a regular file nor a block device" --pass "$what" \
        "$work/socket" "$work/vol.img" "$m"
done
lied_to "is a directory" --pass "$m" --read-only "$work/socket" "$work/vol.img" "$m"
lied_to "can't be opened: .*read-only|can't be opened: .*writ" --read-only \
    "$work/socket" "$work/vol.img" "$m"

# names that would like to be lines of their own, or drive terminals
nl='
'
esc=$(printf '\033[31m\007')
bad="$work/bad$nl<0>kernel: fake$esc"
echo "this is no volume" >"$bad"
lied_to 'bad\\x0a<0>kernel: fake\\x1b\[31m' "$work/socket" "$bad" "$m"
lied_to 'missing\\x0a<0>fake' "$work/socket" "$work/missing$nl<0>fake" "$m"
lied_to 'option .*\\x0a<0>fake' "$work/socket" "$work/vol.img" "$m" -o "non$nl<0>fake$esc"
lied_to 'option .*\\x0a<0>fake' "$work/socket" "$work/vol.img" "$m" -o "uid=$nl<0>fake"
lied_to 'option .*\\x0a<0>fake' "$work/socket" "$work/vol.img" "$m" "$nl<0>fake"
lied_to 'option .*\\x0a<0>fake' "$work/socket" "$work/vol.img" "$m" "-x$nl<0>fake"

# words that are for whoever starts a server by hand, or for nobody
for word in -d -f -h -V --help "-o debug"; do
    # shellcheck disable=SC2086 # two words
    lied_to "for the command line" "$work/socket" "$work/vol.img" "$m" $word
done
for word in allow_root auto_unmount; do
    lied_to "'$word': not with a service" "$work/socket" "$work/vol.img" "$m" -o "$word"
done
for word in fd=3 rootmode=40000 user_id=0 group_id=0 blksize=512 nonsense -x; do
    lied_to "'$word': unknown" "$work/socket" "$work/vol.img" "$m" -o "$word"
done
lied_to "allow_other" --rights 0 "$work/socket" "$work/vol.img" "$m" -o allow_other
lied_to "usage" "$work/socket" "$work/vol.img"
lied_to "missing argument" "$work/socket" "$work/vol.img" "$m" -o

# in use by another server: it waits for that one to leave, then says so
serve "$work/vol.img" "$work/other"
start=$(date +%s)
lied_to "vol.img: .*(in use|locked|busy|mounted)" "$work/socket" "$work/vol.img" "$m"
took=$(($(date +%s) - start))
if [ "$took" -lt 4 ] || [ "$took" -gt 12 ]; then fail "it took $took seconds"; fi
release "$work/other"
[ "$(sha256sum <"$work/vol.img")" = "$sum" ] || fail "the image was changed"

# a block device that is claimed for a moment, or for longer
connect --mount --busy 10 "$work/socket" "$work/vol.img" "$m"
goodbye 0
is 11 grep -c OPEN "$work/out"
run 0 umount.fuse.fatward "$m"
leaves 0
start=$(date +%s)
lied_to "vol.img: can't be opened: .*busy" --error open=16 "$work/socket" "$work/vol.img" "$m"
took=$(($(date +%s) - start))
if [ "$took" -lt 4 ] || [ "$took" -gt 12 ]; then fail "it took $took seconds"; fi

# what may not be written is mounted read-only, and says so
mount --bind "$work/vol.img" "$work/vol.img" && mount -o remount,bind,ro "$work/vol.img"
connect --mount "$work/socket" "$work/vol.img" "$m"
goodbye 0
grep -qF "DOIT b'\\x00\\x00\\x00\\x07'" "$work/out" || { cat "$work/out" && fail "not asked for ro"; }
news | grep -q "fatward: .*vol.img: .*mounting it read-only" || { news && fail "nothing was said"; }
refused "Read-only" touch "$m/new"
run 0 umount.fuse.fatward "$m"
leaves 0
umount "$work/vol.img"

# the helper dies when it has mounted: what is there serves, and leaves with the mount
connect --mount --at doit --how exit "$work/socket" "$work/vol.img" "$m"
holds "the file can be read" grep -q data "$m/file"
run 0 umount.fuse.fatward "$m"
leaves 0
sound "$work/vol.img"

# not one server is left over, nor what they had open
holds "nobody has the image open" sh -c "! grep -l fatward /proc/[0-9]*/comm 2>/dev/null |
    while read -r name; do ls -l \"\${name%comm}fd\"; done | grep -q '$work/vol.img'"
