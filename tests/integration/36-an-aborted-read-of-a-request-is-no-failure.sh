#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Unmounting may end the connection just while a request is handed over. The server
# must not call that a failure, and must not leave while there is something to serve.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat
shim=$(echo "$FATWARD_BIN_DIR" | tr : '\n' | sed 's|$|/libabort-shim.so|' | xargs ls 2>/dev/null | head -n 1)
[ -n "$shim" ] || fail "the shim was not built"

make_image vol.img 16 32768
export LD_PRELOAD="$shim"
serve "$work/vol.img" "$work/m"
unset LD_PRELOAD
for name in 1 2 3 4 5; do
    holds "the server still serves" cp "$0" "$work/m/$name"
done
grep -q "connection abort" "$work/server.log" || fail "no read failed"
release "$work/m"
sound "$work/vol.img"
