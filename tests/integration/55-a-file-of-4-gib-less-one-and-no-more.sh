#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The largest file, written at its very end and read back; the byte after it can't be
# written. The write that crosses the border is cut short.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3
[ "$(df -k --output=avail "$work" | tail -n 1)" -gt 6000000 ] ||
    { echo "SKIP: less than 6 GB free in $work" && exit 77; }

make_image vol.img 32 4300000 -s 64
serve "$work/vol.img" "$work/m"
cd "$work/m" || exit 99
holds "up to the border and not past it" python3 - <<'P'
import errno, os
last = (1 << 32) - 1
f = os.open("large", os.O_RDWR | os.O_CREAT)
os.ftruncate(f, last)
assert os.fstat(f).st_size == last
assert os.pwrite(f, b"0123456789", last - 4) == 4
assert os.pread(f, 100, last - 6) == b"\0\x000123"
for offset in (last, last + 1, 1 << 40):
    try:
        os.pwrite(f, b"x", offset)
        assert False
    except OSError as error:
        assert error.errno == errno.EFBIG
os.pwrite(f, b"middle", 3 << 30)
P
is 4294967295 stat -c %s large
cd "$work" || exit 99
release "$work/m"
# fsck.fat counts the bytes of a chain in 32 bits, and finds none in this one
run 0 fatward-inspect check "$work/vol.img"
serve "$work/vol.img" "$work/m"
is 4294967295 stat -c %s "$work/m/large"
is 0123 tail -c 4 "$work/m/large"
is middle sh -c "tail -c +$(((3 << 30) + 1)) '$work/m/large' | head -c 6"
rm "$work/m/large"
release "$work/m"
sound "$work/vol.img"
