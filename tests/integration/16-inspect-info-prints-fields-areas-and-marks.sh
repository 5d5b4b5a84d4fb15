#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-inspect info shows the fields under the specification's names and derives
# areas, label, serial and marks from them, on volumes of mkfs.fat and our own.
. "$(dirname "$0")/tools.sh"
needs mkfs.fat

image=$work/a.img

truncate -s 64M "$image"
run 0 mkfs.fat -F 32 -s 1 -i CAFE1234 -n HELLO "$image"
run 0 fatward-inspect info "$image"
says '^  BPB_BytsPerSec +11 +2  512$'
says '^  BPB_FATSz32 +36 +4  [0-9]+$'
says '^  BPB_RootClus +44 +4  2$'
says '^  BS_VolLab +71 +11  "HELLO      "$'
says '^  Signature_word +510 +2  0xAA55$'
says '^  type +FAT32: BPB_FATSz16 is 0$'
says '^  label +"HELLO"$'
says '^  serial +CAFE-1234$'
says '^  reserved +0 +16384$'
says '^  FAT 2 '
says '^  in boot sector +clean$'
says '^  in FAT\[1\] +clean$'
says '^FSInfo, in sector 1$'
says '^  free clusters +[0-9]+$'

# Dirty, by both marks.
printf '\001' | dd of="$image" bs=1 seek=65 conv=notrunc status=none
printf '\377\377\377\007' | dd of="$image" bs=1 seek=$((16384 + 4)) conv=notrunc status=none
run 0 fatward-inspect info "$image"
says '^  in boot sector +dirty$'
says '^  in FAT\[1\] +dirty$'

for type in 12 16; do
    run 0 fatward-mkimage "$image" --force --size=16M --type=$type --serial=1 --label='two words'
    run 0 fatward-inspect info "$image"
    says "^  type +FAT$type: BPB_FATSz16 is not 0"
    says '^  label +"TWO WORDS"$'
    says '^  serial +0000-0001$'
    says '^  root directory +512 entries$'
    says '^  size +16777216 bytes, 32768 sectors of 512$'
done
