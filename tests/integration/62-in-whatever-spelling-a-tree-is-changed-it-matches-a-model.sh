#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fixed seeds of operations on a few names, each by any of its spellings and through any
# spelling of the directories above it, while some files are held open; all are compared
# with a tree in memory. SPELLINGS_SEEDS to try others, SPELLINGS_COUNT for more.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3

here=$(dirname "$(realpath "$0")")
make_image vol.img 16 65536
serve "$work/vol.img" "$work/m"
for seed in ${SPELLINGS_SEEDS:-3 6 7}; do
    mkdir "$work/m/$seed" || exit 99
    (cd "$work/m/$seed" && holds "seed $seed matches" \
        python3 "$here/spellings-model" "$seed" "${SPELLINGS_COUNT:-3000}") || exit 1
done
release "$work/m"
sound "$work/vol.img"
