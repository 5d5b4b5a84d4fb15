#!/bin/sh
# SPDX-License-Identifier: MIT
#
# 4085 and 4086 clusters are FAT12 to some and FAT16 to others, and FAT32 with few
# clusters is FAT16 to some (MSFAT 3.5): whatever the size, no such volume is made.
# A size that is refused is refused with the sizes that are possible, and leaves no
# file behind.
. "$(dirname "$0")/tools.sh"

image=$work/a.img

# clusters: of the image, by the checker's own arithmetic
clusters()
{
    fatward-inspect check -v "$image" | sed -n 's/^FAT[0-9]*, \([0-9]*\) clusters.*/\1/p'
}

# try SECTORS FATS: a volume of about 4085 clusters of one sector
try()
{
    if fatward-mkimage "$image" --size=$(($1 * 4096)) --fats="$2" --sector-size=4096 \
        --cluster-size=4096 2>"$work/err"; then
        made=$((made + 1))
        count=$(clusters)
        case $count in
        4085 | 4086) fail "$1 sectors, $2 FATs: $count clusters" ;;
        '') fail "$1 sectors, $2 FATs: the checker does not read it" ;;
        esac
        rm "$image"
    else
        refused=$((refused + 1))
        [ ! -e "$image" ] || fail "$1 sectors, $2 FATs: refused, and a file left behind"
    fi
}

# Sizes are rounded to whole tracks: so it takes the number of FATs to hit the border.
made=0 refused=0
for fats in 1 2 3 4 5 6; do
    for sectors in 4096 4127 4128 4160; do
        try $sectors $fats
    done
done
[ $made -ge 20 ] || fail "only $made of 24 were made"
[ $refused -gt 0 ] || fail "the border was missed: none was refused"

run 1 fatward-mkimage "$image" --size=16M --type=32
says 'another type'
says 'possible with these options: .* to '
run 1 fatward-mkimage "$image" --size=4K
says 'too small'
run 1 fatward-mkimage "$image" --size=1G --type=12
says 'too large'

# What it calls possible is possible, and one sector less is not.
least=$(sed -n 's/.*possible with these options: \([0-9]*[KMGT]*\) to.*/\1/p' "$work/err")
run 0 fatward-mkimage "$image" --size="$least" --type=12
bytes=$(stat -c %s "$image")
rm "$image"
run 1 fatward-mkimage "$image" --size=$((bytes - 512)) --type=12
[ ! -e "$image" ] || fail "a refused image was left behind"
