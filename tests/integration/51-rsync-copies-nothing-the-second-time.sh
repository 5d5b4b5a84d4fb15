#!/bin/sh
# SPDX-License-Identifier: MIT
#
# rsync -a, with the window that FAT's times want, finds at the second run that
# nothing is to be done, also after a remount; a change is all that it copies.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 rsync

umask 022
mkdir "$work/tree" || exit 99
run 0 "$tree" make "$work/tree" 1500 5
find "$work/tree" -type f -newermt 2000-01-01 | head -n 50 | while read -r file; do
    touch -d 2015-05-05T05:05:05Z "$file"
done

# copied DIR: what rsync has to do
copied()
{
    run 0 rsync -a --modify-window=1 --itemize-changes "$work/tree/" "$1/tree/"
}

make_image vol.img 16 131072 -s 4
serve "$work/vol.img" "$work/m" -o fmask=133,dmask=022
copied "$work/m"
says '^>f'
copied "$work/m"
is "" cat "$work/out"
release "$work/m"
sound "$work/vol.img"

serve "$work/vol.img" "$work/m" -o fmask=133,dmask=022
copied "$work/m"
is "" cat "$work/out"
same "the tree is there" "$work/tree" "$work/m/tree"
file=$(find "$work/tree" -type f -size +8k | LC_ALL=C sort | head -n 1)
echo more >>"$file"
rm -r "$work/tree/beyond"
run 0 rsync -a --modify-window=1 --delete --itemize-changes "$work/tree/" "$work/m/tree/"
is 1 grep -c '^>f' "$work/out"
run 0 rsync -a --modify-window=1 --delete --checksum --inplace "$work/tree/" "$work/m/tree/"
same "the change is there" "$work/tree" "$work/m/tree"
release "$work/m"
sound "$work/vol.img"
serve "$work/vol.img" "$work/m" -o ro,fmask=133,dmask=022
copied "$work/m"
is "" cat "$work/out"
same "and stays" "$work/tree" "$work/m/tree"
release "$work/m"
