#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Files that are no FAT volume, and volumes that are damaged: a message that names the
# field or the cluster, the exit status of fsck(8), and not a byte changed.
. "$(dirname "$0")/tools.sh"
needs mkfs.fat cmp flock

image=$work/a.img

poke() # OFFSET OCTAL-ESCAPES
{
    # shellcheck disable=SC2059 # the bytes
    printf "$2" | dd of="$image" bs=1 seek="$1" conv=notrunc status=none
}

fresh() # TYPE SIZE
{
    rm -f "$image"
    run 0 fatward-mkimage "$image" --size="$2" --type="$1" --serial=1
}

# verdict STATUS REGEX: of check, which writes nothing and ends in time
verdict()
{
    cp --sparse=always "$image" "$work/before.img"
    run "$1" timeout 60 fatward-inspect check "$image"
    says "$2"
    status=0
    timeout 60 fatward-inspect info "$image" >"$work/info" 2>&1 || status=$?
    [ $status -eq 0 ] || [ $status -eq 8 ] || fail "info: status $status"
    cmp "$image" "$work/before.img" || fail "the image was changed"
}

# No volume at all.
: >"$image"
verdict 8 'not a FAT volume'
printf 'hello\n' >"$image"
verdict 8 'not a FAT volume'
head -c 1M /dev/zero >"$image"
verdict 8 'BPB_|not a FAT volume'
for _ in 1 2 3 4 5; do
    head -c 100000 /dev/urandom >"$image"
    verdict 8 'BPB_|not a FAT volume'
done
run 8 fatward-inspect check "$work/nowhere"
run 8 fatward-inspect check "$work"

# A boot sector that contradicts itself.
fresh 16 16M
poke 11 '\001\002' # 513 bytes a sector
verdict 8 BPB_BytsPerSec
fresh 16 16M
poke 13 '\003'
verdict 8 BPB_SecPerClus
fresh 16 16M
poke 16 '\000'
verdict 8 BPB_NumFATs
fresh 16 16M
poke 14 '\377\377' # the FATs would begin behind the end
verdict 8 'damage|damaged'
fresh 16 16M
poke 22 '\377\377'
verdict 8 'damage|damaged'

# Cut off in the middle, and cut off in the FAT.
fresh 32 64M
truncate -s 20M "$image"
verdict 4 device-short
truncate -s 100K "$image"
verdict 8 device-short

# Marks, copies, chains. Cluster 2 of FAT16 with 512-byte sectors: FAT byte 4.
fresh 16 16M
poke 37 '\001'
verdict 4 '^leftover dirty '
fresh 16 16M
fat=$((512 * $(od -An -tu2 -j 14 -N 2 "$image")))
poke $((fat + 4)) '\377\377'
verdict 4 'fat-differs'
says 'lost-chain'
fresh 16 16M
verdict 0 ': clean;'

# What would drive the terminal is shown as what it is.
fresh 12 1M
poke 3 '\033[2J\r\n\200\177' # BS_OEMName
verdict 0 clean
grep -qF '"\x1B[2J\x0D\x0A\x80\x7F"' "$work/info" || fail "not escaped: $(cat -v "$work/info")"
escape=$(printf '\033')
mv "$image" "$work/${escape}[2J.img"
run 0 fatward-inspect check "$work/${escape}[2J.img"
says 'x1B.2J.img: clean'
! grep -q "$escape" "$work/out" "$work/info" || fail "an escape sequence came through"
fresh 12 1M
root=$((512 * ($(od -An -tu2 -j 14 -N 2 "$image") + 2 * $(od -An -tu2 -j 22 -N 2 "$image"))))
poke $root 'A\033[2J   TXT '
verdict 4 short-name
! grep -q "$escape" "$work/out" || fail "an escape sequence came through"

# Somebody writes to it: not now. Others may read.
fresh 12 1M
run 8 flock "$image" fatward-inspect check "$image"
says 'in use by another program'
run 0 flock --shared "$image" fatward-inspect check "$image"

# A report that could not be written is not a clean one.
fatward-inspect check "$image" >/dev/full 2>/dev/null
[ $? -eq 8 ] || fail "a full disk went unnoticed"

run 0 fatward-inspect check -q "$image"
[ ! -s "$work/out" ] || fail "-q printed something"
run 0 fatward-inspect check --verbose "$image"
says '^FAT12, [0-9]+ clusters of [0-9]+ bytes'
run 0 fatward-inspect check -n "$image"
run 16 fatward-inspect check -n --repair "$image"
run 16 fatward-inspect check --save-lost "$image"
run 16 fatward-inspect check --cut-sizes "$image"
run 16 fatward-inspect info --repair "$image"
run 16 fatward-inspect mend "$image"
run 16 fatward-inspect check
run 16 fatward-inspect check "$image" "$image"
run 16 fatward-inspect info -q "$image"
run 16 fatward-inspect
run 0 fatward-inspect --help
run 0 fatward-inspect --version
