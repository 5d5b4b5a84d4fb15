#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program whose caller has closed standard input, output or error opens the image at
# that number, were it not taken, and writes there what it has to say.
. "$(dirname "$0")/tools.sh"

image=$work/a.img
mkdir -p "$work/much"
head -c 3000000 /dev/zero >"$work/much/file"
run 0 fatward-mkimage "$work/sound.img" --size=1M
cp "$work/sound.img" "$image"

# unharmed STATUS: what ended so has left the image alone
unharmed()
{
    [ "$status" -eq "$1" ] || fail "status $status instead of $1"
    cmp "$work/sound.img" "$image" || fail "the image has got what was said"
}

fatward-mkimage "$image" --size=1M --force -d "$work/much" 2>&-
status=$?
unharmed 1
fatward-mkimage "$image" --size=1M --force -d "$work/much" <&- 2>&-
status=$?
unharmed 1

# one line for each file that shares its cluster: more than any buffer holds
make_findings()
{
    python3 - "$work/sound.img" "$image" <<'END'
import sys
image = bytearray(open(sys.argv[1], "rb").read())
root = (1 + 2 * int.from_bytes(image[22:24], "little")) * 512
for i in range(500):
    slot = b"FILE%04dTXT" % i + b"\x20" + bytes(14) + b"\x02\x00" + b"\x01\x00\x00\x00"
    image[root + 32 * i:root + 32 * (i + 1)] = slot
open(sys.argv[2], "wb").write(image)
END
}
command -v python3 >/dev/null 2>&1 || { echo "SKIP: python3 is not installed" && exit 77; }
make_findings
cp "$image" "$work/sound.img"
run 4 fatward-inspect check --repair "$image"
unharmed 4
# A report that did not arrive must not look like one that did.
fatward-inspect check --repair "$image" >&- 2>"$work/err"
status=$?
unharmed 12
grep -q 'output could not be written' "$work/err" || fail "nobody was told"
fatward-inspect check --repair "$image" >&- 2>&- <&-
status=$?
unharmed 12
