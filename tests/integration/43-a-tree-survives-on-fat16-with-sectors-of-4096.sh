#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Thousands of files with names of every kind are copied in, deleted, renamed and
# rewritten; after each unmount the volume is sound at once, and mtools reads it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
tree_survives 16 10000 262144 -S 4096
