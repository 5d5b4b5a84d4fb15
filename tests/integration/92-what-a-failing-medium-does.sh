#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The image fails beneath the server: a read, write or flush says EIO, ENOSPC or ENODEV
# once or from then on, does half of what was asked, or never comes back; the image is
# cut short, changed by a stranger, or lies on a disk that is full. Whoever asked is told,
# nothing hangs, and what had been synced is there afterwards.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat python3

here=$(dirname "$(realpath "$0")")
FAULT_WORK=$work PYTHONDONTWRITEBYTECODE=1 python3 "$here/failing-medium" "$@" ||
    fail "see above"
