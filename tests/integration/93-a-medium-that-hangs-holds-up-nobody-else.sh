#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A read of the medium never comes back. Who asked for it can be killed; everybody else
# goes on; unmounting by force, aborting the connection and SIGTERM end all of it, and
# the server says that it could not close the volume.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat python3

here=$(dirname "$(realpath "$0")")
FAULT_WORK=$work PYTHONDONTWRITEBYTECODE=1 python3 "$here/hung-medium" "$@" ||
    fail "see above"
