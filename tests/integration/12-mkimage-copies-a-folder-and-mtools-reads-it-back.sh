#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A folder with names of all sorts, empty and large files goes into an image of each
# type and comes back through mtools, the same in every byte, name and time.
. "$(dirname "$0")/tools.sh"
needs mcopy fsck.fat diff cmp

# mtools goes by the codepage and the locale for names that are not ASCII.
export LC_ALL=C.UTF-8

tree=$work/tree
mkdir -p "$tree/deep/er/and/deeper still" "$tree/empty folder" "$tree/Mixed Case"
: >"$tree/empty"
printf x >"$tree/one.byt"
printf 'lower\n' >"$tree/lower.txt"
printf 'upper\n' >"$tree/UPPER.TXT"
printf 'long\n' >"$tree/a rather long name with spaces, and more.text"
printf 'tail\n' >"$tree/longer~1.txt"
printf 'long\n' >"$tree/longer than eight.txt"
printf 'umlaut\n' >"$tree/Größe.txt"
printf 'deep\n' >"$tree/deep/er/and/deeper still/file.dat"
name=$(printf '%0240d' 0)
printf 'widest\n' >"$tree/Mixed Case/$name.long"
head -c 70001 /dev/urandom >"$tree/some.bin"
head -c 2500000 /dev/urandom >"$tree/deep/more.bin"
i=0
while [ $i -lt 300 ]; do
    echo $i >"$tree/deep/file number $i"
    i=$((i + 1))
done
find "$tree" -exec touch -d '2001-02-03 04:05:06' {} +
touch -d '2020-12-31 23:59:58' "$tree/one.byt" "$tree/deep/er"

for shape in '--size=8M --type=12' '--size=16M --type=16' '--size=40M --type=32' \
    '--size=64M --sector-size=4096' '--size=12M --cluster-size=512 --fats=1 --label=FILLED'; do
    image=$work/a.img back=$work/back
    # shellcheck disable=SC2086 # a list
    run 0 fatward-mkimage "$image" $shape -d "$tree"
    sound "$image"
    mkdir "$back"
    run 0 mcopy -s -m -n -i "$image" ::/ "$back"
    run 0 diff -r "$tree" "$back"
    for file in one.byt empty some.bin deep/more.bin; do
        [ "$(stat -c %Y "$tree/$file")" = "$(stat -c %Y "$back/$file")" ] ||
            fail "$shape: $file lost its time"
    done
    rm -rf "$image" "$back"
done

# A root directory of FAT12 has 512 entries; with one too many, nothing is written.
mkdir "$work/wide"
i=0
while [ $i -lt 512 ]; do
    : >"$work/wide/F$i"
    i=$((i + 1))
done
run 0 fatward-mkimage "$work/wide.img" --size=8M -d "$work/wide"
sound "$work/wide.img"
rm "$work/wide.img"
run 1 fatward-mkimage "$work/wide.img" --size=8M --label=ONEMORE -d "$work/wide"
says '512 entries'
[ ! -e "$work/wide.img" ] || fail "a file was left behind"

# Links count as what they lead to, when asked to.
mkdir "$work/links" "$work/elsewhere"
echo there >"$work/elsewhere/file"
ln -s "$work/elsewhere" "$work/links/folder"
ln -s "$work/elsewhere/file" "$work/links/file"
run 0 fatward-mkimage "$work/links.img" --size=4M --follow -d "$work/links"
sound "$work/links.img"
run 0 mcopy -n -i "$work/links.img" ::/folder/file "$work/got"
run 0 cmp "$work/got" "$work/elsewhere/file"
ln -s .. "$work/links/up"
mkdir "$work/links/down"
ln -s .. "$work/links/down/up"
rm "$work/links.img" "$work/links/up"
run 1 fatward-mkimage "$work/links.img" --size=4M --follow -d "$work/links"
says 'down/up: leads back'

# A volume is filled to its last cluster; what is missing is said to the byte.
mkdir "$work/full"
for shape in '12 1M 0' '32 40M 1'; do
    # shellcheck disable=SC2086 # type, size, clusters of the empty root directory
    set -- $shape
    run 0 fatward-mkimage "$work/full.img" --size="$2" --type="$1" --cluster-size=512
    run 0 fatward-inspect check -v "$work/full.img"
    count=$(sed -n 's/^FAT[0-9]*, \([0-9]*\) clusters.*/\1/p' "$work/out")
    head -c $(((count - $3) * 512)) /dev/urandom >"$work/full/file"
    run 0 fatward-mkimage "$work/full.img" --force --size="$2" --type="$1" --cluster-size=512 \
        -d "$work/full"
    sound "$work/full.img"
    run 0 mcopy -n -i "$work/full.img" ::/file "$work/got"
    run 0 cmp "$work/got" "$work/full/file"
    echo more >>"$work/full/file"
    run 1 fatward-mkimage "$work/full.img" --force --size="$2" --type="$1" --cluster-size=512 \
        -d "$work/full"
    says 'does not fit: 512 bytes are missing'
    rm -f "$work/full.img" "$work/got"
done
