#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What FAT can't hold is named before anything is written: a new image is not left
# behind, an old one not touched.
. "$(dirname "$0")/tools.sh"
needs cmp flock fsck.fat

image=$work/a.img tree=$work/tree
mkdir -p "$tree/sub"

# refused REGEX: on the way to a new image and to an old one
refused()
{
    run 1 fatward-mkimage "$image" --size=1M -d "$tree"
    says "$1"
    [ ! -e "$image" ] || fail "an image was left behind"
    head -c 5000 /dev/urandom >"$work/old.img"
    cp "$work/old.img" "$image"
    run 1 fatward-mkimage "$image" --size=1M --force -d "$tree"
    says "$1"
    cmp "$image" "$work/old.img" || fail "the old image was touched"
    rm "$image"
}

ln -s /nowhere "$tree/sub/link"
refused 'tree/sub/link: a symbolic link.*--follow'
rm "$tree/sub/link"

mkfifo "$tree/sub/pipe"
refused 'tree/sub/pipe: a pipe'
rm "$tree/sub/pipe"

truncate -s 4G "$tree/sub/big"
refused 'tree/sub/big: larger than 4294967295'
rm "$tree/sub/big"

head -c 3000000 /dev/zero >"$tree/sub/much"
refused 'tree: does not fit: [0-9]+ bytes are missing'
rm "$tree/sub/much"

for name in 'a:b' 'what?' 'star*' 'tail.' 'a"b' 'back\slash' "$(printf 'new\nline')" \
    "$(printf 'not\377utf8')"; do
    : >"$tree/sub/$name"
    refused 'tree/sub/.*: '
    ! grep -q "$(printf '\377')" "$work/err" || fail "a raw byte in a message"
    [ "$(wc -l <"$work/err")" -eq 1 ] || fail "a message over two lines"
    rm "$tree/sub/$name"
done

echo 1 >"$tree/sub/Twin"
echo 2 >"$tree/sub/tWIN"
refused "sub/t[wW][iI][nN]: .*same name as '[tT][wW][iI][nN]'"
rm "$tree/sub/Twin" "$tree/sub/tWIN"

# What is wrong with the command line alone.
run 64 fatward-mkimage "$image" --size=1M --follow
says '--follow: goes with -d'
run 64 fatward-mkimage "$image" --size=1M --label='a:b'
says '--label: plain ASCII.* ; < = > \? \[ \] \|$'

# The image inside its own folder.
run 1 fatward-mkimage "$tree/sub/a.img" --size=1M -d "$tree"
says 'sub/a.img: the image'
[ ! -e "$tree/sub/a.img" ] || fail "an image was left behind"

# Nothing is overwritten unasked, and nothing at all that is in use.
echo precious >"$image"
run 1 fatward-mkimage "$image" --size=1M
says 'not empty; --force'
[ "$(cat "$image")" = precious ] || fail "the file was touched"
run 1 flock "$image" fatward-mkimage "$image" --size=1M --force
says 'in use by another program'
run 1 flock --shared "$image" fatward-mkimage "$image" --size=1M --force
[ "$(cat "$image")" = precious ] || fail "the file was touched"
run 0 fatward-mkimage "$image" --size=1M --force
sound "$image"
: >"$image"
run 0 fatward-mkimage "$image" --size=1M # an empty file is nobody's loss
sound "$image"
rm "$image"

# A file that turns up as a folder, a missing folder, a folder that can't be made.
run 1 fatward-mkimage "$image" --size=1M -d "$work/nowhere"
says 'nowhere: No such file'
run 1 fatward-mkimage "$work/nowhere/a.img" --size=1M
run 1 fatward-mkimage "$tree" --size=1M --force
[ ! -e "$image" ] || fail "an image was left behind"

for wrong in --size=0 --size=1Q --size=-1 --size= --type=20 --label=TWELVELETTER --label=a:b \
    --sector-size=513 --sector-size=8192 --cluster-size=300 --cluster-size=128K --fats=0 \
    --fats=256 --serial=xyz --serial=123456789 --nonsense; do
    run 64 fatward-mkimage "$image" --size=1M "$wrong"
    [ ! -e "$image" ] || fail "$wrong made an image"
done
run 64 fatward-mkimage
run 0 fatward-mkimage --help
run 0 fatward-mkimage --version

# a boot sector can't count more sectors than that, and nobody shall believe it can
run 0 fatward-mkimage "$work/large.img" --size=3T
says "only the first 2147483646K are used"
rm "$work/large.img"
run 0 fatward-mkimage "$work/large.img" --size=3T --sector-size=4096
[ ! -s "$work/err" ] || { cat "$work/err" && fail "there was nothing to warn of"; }
rm "$work/large.img"

# With one FAT some clusters of FAT12 are never claimed: that is known before, too.
for sector in 512 1024; do
    rm -rf "$work/full" "$image"
    mkdir "$work/full"
    set -- --size=3M --type=12 --fats=1 --sector-size="$sector" --cluster-size=4096
    run 0 fatward-mkimage "$image" "$@" -v
    clusters=$(sed -nE 's/.*FAT12, ([0-9]+) clusters.*/\1/p' "$work/out")
    truncate -s $((clusters * 4096)) "$work/full/file"
    run 1 fatward-mkimage "$image" "$@" --force -d "$work/full"
    says 'does not fit: [0-9]+ bytes are missing'
    most=$(sed -nE 's/.*the volume has ([0-9]+).*/\1/p' "$work/err")
    { [ "$most" -lt "$clusters" ] && [ "$most" -ge $((clusters - 3)) ]; } ||
        fail "$most of $clusters"
    truncate -s $((most * 4096)) "$work/full/file"
    run 0 fatward-mkimage "$image" "$@" --force -d "$work/full"
done

# A report that does not arrive is no success.
fatward-mkimage --help >/dev/full 2>"$work/err" && fail "--help to a full disk"
grep -q 'output could not be written' "$work/err" || fail "nobody was told"
fatward-mkimage "$image" --size=1M --force -v >/dev/full 2>"$work/err" && fail "-v to a full disk"
sound "$image"
