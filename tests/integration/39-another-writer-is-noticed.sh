#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Programs that heed no lock write to an image that is mounted: the next commit writes
# over nothing of theirs, the volume turns read-only and says so, and the exit code
# tells that changes may be missing.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat fatlabel

# meets TYPE KIB WHAT COMMAND...: with the image's path in place of @
meets()
{
    kind=$1 size=$2 what=$3
    shift 3
    rm -f "$work/vol.img"
    make_image vol.img "$kind" "$size"
    serve "$work/vol.img" "$work/m"
    echo before >"$work/m/before" || fail "$what: nothing can be written"
    holds "the first file is synced" sync "$work/m/before"
    command=
    for word in "$@"; do
        [ "$word" = @ ] && word=$work/vol.img
        command="$command $word"
    done
    # what it says of a volume in use is its own business
    $command >"$work/out" 2>&1
    cp "$work/vol.img" "$work/theirs.img"
    : >"$work/m/after" || fail "$what: it is noticed too early to be a test"
    refused "Input/output error" sync "$work/m/after"
    refused "Read-only file system" touch "$work/m/later"
    holds "$what: the log says so, and where" \
        grep -q "another program has written to the boot sector" "$work/server.log"
    [ "$1" = cp ] || holds "$what: the files can be read" grep -q before "$work/m/before"
    umount -i "$work/m" || fail "$what: it can't be unmounted"
    ends 2
    holds "$what: nothing was written over" cmp "$work/vol.img" "$work/theirs.img"
}

meets 12 1440 "a label" fatlabel @ STRANGER
meets 16 20480 "a check that clears the mark" fsck.fat -a @
meets 32 40960 "a check that clears the mark" fsck.fat -a @
make_image fresh.img 32 40960
meets 32 40960 "another volume copied over it" cp "$work/fresh.img" @
