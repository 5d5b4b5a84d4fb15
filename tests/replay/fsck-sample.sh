#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A few hundred states that a power cut could have left, judged by programs that are
# not ours: fsck.fat may complain of what may be left over and of nothing else, and
# after fsck.fat -a has mended a copy in its own way, mtools has to find every file that
# had one name and one content only.
#
#     fsck-sample.sh PROGRAM      where PROGRAM is replay_dump
#     fsck-sample.sh -d FOLDER    states that somebody has put there, who takes them away
set -eu

for tool in fsck.fat mcopy; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "skipped: no $tool here"
        exit 77
    fi
done

least=100
if [ "$1" = -d ]; then
    work=$2
    least=0
else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT INT TERM
    "$1" "$work"
fi

# What may be left over, in the words of fsck.fat 4.2; what belongs to them is indented
# or names a path. Once it has decided to cut one of two names of a chain, it goes on to
# find that one's chain too short: 0 bytes, and never another number. The last lines but
# one are about the test's own volumes: FAT32 far too small, and a mark that only the
# first boot sector has.
allowed='^fsck\.fat [0-9]
^$
^/
^  File size is [0-9]* bytes, cluster chain length is > [0-9]* bytes\.
^  File size is [0-9]* bytes, cluster chain length is 0 bytes\.
^There are differences between boot sector and its backup\.
^This is mostly harmless\. Differences:
^  65:0[01]/0[01]
^  Not automatically fixing this\.
^Warning: Filesystem is FAT32 according to fat_length
^  but has only [0-9]* clusters, less than the required minimum
^  This may lead to problems on some systems\.
^  and$
^  share clusters\.
^  Truncating second to 0 bytes\.
^  Truncating file to [0-9]* bytes\.
^Reclaimed [0-9]* unused clusters\{0,1\}
^Orphaned long file name part
^  Auto-deleting\.
^Long filename fragment "[^"]*" found outside a LFN sequence\.
^  (Maybe the start bit is missing on the last fragment)
^  Not auto-correcting this\.
^  Invalid .\.\.. entry in the second slot\. Fixing\.
^  Start cluster number is [0-9]*, should be
^FATs differ .*
^  *[Uu]sing first FAT
^0x[24][15]: Dirty bit is set\.
^ Automatically removing dirty bit\.
^Dirty bit is set\.
^Free cluster summary uninitialized
^Setting free cluster summary
^ *Auto-setting\.
^Leaving filesystem unchanged\.
^[^ ]*: [0-9]* files, [0-9]*/[0-9]* clusters'

# A FAT12 entry that lies across two sectors, claimed but not yet linked to, can be torn
# into any number. fsck.fat counts from 0 there.
is_torn='/^Cluster [0-9]+ out of range .* Setting to EOF\.$/ &&
    (($2 + 2) % 1024 == 341 || ($2 + 2) % 1024 == 682) { next } { print }'

# Bytes of the boot sector from @1 on, @2 of them, as a number.
field() {
    from=$1 count=$2
    # shellcheck disable=SC2086 # words, one a byte
    set -- $boot
    shift "$from"
    value=0 place=1
    while [ "$count" -gt 0 ]; do
        value=$((value + $1 * place)) place=$((place * 256)) count=$((count - 1))
        shift
    done
}

# type, and fat (where the first one begins), of an image
look_at() {
    boot=$(od -An -v -tu1 -w64 -N64 "$1")
    field 22 2
    type=32
    if [ "$value" -ne 0 ]; then
        field 58 1 # "FAT12   " or "FAT16   "
        [ "$value" -eq 50 ] && type=12 || type=16
    fi
    field 14 2 && fat=$value
    field 11 2 && fat=$((fat * value))
}

put() { # image, offset, what printf makes bytes of
    # shellcheck disable=SC2059 # it is a format
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# mtools reads no FAT that is marked dirty, and fsck.fat leaves that mark alone. And it
# goes by the number of clusters alone, so it takes a FAT32 volume with few of them for
# FAT12: it is told that there are a million sectors. Nothing changes its place by that,
# and no chain leads there.
make_readable() {
    case $type in
    16) put "$1" $((fat + 2)) '\377\377' ;;
    32)
        put "$1" $((fat + 4)) '\377\377\377\017'
        put "$1" 19 '\000\000'
        put "$1" 32 '\000\000\020\000'
        ;;
    esac
}

printf '%s\n' "$allowed" >"$work/allowed"
bad=0
states=0
files=0
for image in "$work"/*.img; do
    name=${image%.img}
    states=$((states + 1))
    fsck.fat -n "$image" >"$work/said" 2>&1 || true
    look_at "$image"
    if [ "$type" -eq 12 ]; then
        awk "$is_torn" "$work/said" >"$work/rest"
        mv "$work/rest" "$work/said"
    fi
    if grep -q -v -f "$work/allowed" "$work/said"; then
        echo "BAD ${image##*/}: fsck.fat says:"
        cat "$work/said"
        bad=$((bad + 1))
    fi
    fsck.fat -a "$image" >/dev/null 2>&1 || true
    make_readable "$image"
    while read -r object size path; do
        files=$((files + 1))
        if ! MTOOLS_SKIP_CHECK=1 mcopy -n -o -i "$image" "::/$path" "$work/copy" \
            </dev/null >"$work/said" 2>&1 ||
            ! cmp -s "$work/copy" "$name.$object"; then
            echo "BAD ${image##*/}: $path ($size bytes) is not what it has to be"
            cat "$work/said"
            bad=$((bad + 1))
        fi
    done <"$name.files"
done

echo "$states states, $files files compared, $bad bad"
[ "$bad" -eq 0 ] && [ "$states" -gt "$least" ] && [ "$files" -gt "$least" ]
