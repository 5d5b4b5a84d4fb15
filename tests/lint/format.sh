#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every C file is as clang-format leaves it. To mend: clang-format -i FILE
# usage: format.sh ROOT
. "$(dirname "$0")/lib.sh"
need clang-format
cd "$root" || exit 2

sources engine fuse service tools tests |
    xargs -r clang-format --dry-run --Werror --style=file || bad=1
exit $bad
