#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a fuzzer starts from: sound messages of every kind, and the near misses that a
# mutation doesn't find soon.
# usage: seeds.sh wire|argv DIRECTORY
what=${1:?usage: seeds.sh wire|argv DIRECTORY}
directory=${2:?usage: seeds.sh wire|argv DIRECTORY}
set -e
rm -rf "$directory"
mkdir -p "$directory"
cd "$directory"

# seed NAME FORMAT   as printf(1) has it, which knows octal numbers only
seed()
{
    # shellcheck disable=SC2059 # the format is the point
    printf "$2" >"$1"
}

zeros='\000\000\000\000'

wire()
{
    seed hello 'SAFT\000\001\000\001\000\000\000\003'
    seed hello-of-more-versions 'SAFT\000\000\000\011\000\000\000\001'
    seed hello-reply 'LAST\000\001\000\000'
    seed hello-reply-padded 'LAST\000\001\000\001'
    seed file-argv "FILE${zeros}argv\\000"
    seed file-fusedev "FILE${zeros}fusedev\\000"
    seed file-refused 'FILE\000\000\000\026?\000'
    seed open "OPEN\\000\\000\\000\\202${zeros}${zeros}${zeros}/img\\000"
    seed open-two-ends "OPEN${zeros}${zeros}${zeros}${zeros}/a\\000b\\000"
    seed open-empty "OPEN${zeros}${zeros}${zeros}${zeros}\\000"
    seed device "BDEV\\000\\000\\000\\202${zeros}${zeros}\\000\\000\\002\\000/dev/x\\000"
    seed type 'TYPE\000\000\000\001'
    seed source 'NAME/dev/sda1\000'
    seed source-no-end 'NAME/dev/sda1'
    seed source-no-text 'NAME'
    seed mountpoint 'MNTP\100\000\000\000/mnt\000'
    seed mountpoint-padded 'MNTP\100\000\000\001/mnt\000'
    seed options 'OPTSdefault_permissions,max_read=65536\000'
    seed table-options 'MTABx-foo=1,user=me\000'
    seed mount 'DOIT\000\000\000\006'
    seed goodbye "BYEE$zeros"
    seed goodbye-short 'BYEE\000\000\000'
    seed reply 'REPL\000\000\000\020'
    seed nothing ''
    seed too-short 'REP'
    # 65536 bytes, and one too many
    { printf 'OPTS' && head -c 65531 /dev/zero | tr '\000' o && printf '\000'; } >largest
    { printf 'OPTS' && head -c 65532 /dev/zero | tr '\000' o && printf '\000'; } >too-large
}

argv()
{
    seed plain 'ARGS\000\000\000\002\000\000\000\030\000\000\000\002\000\000\000\032\000\000\000\003a\000-o\000'
    seed unused-slots "ARGS\\000\\000\\000\\001\\000\\000\\000\\040\\000\\000\\000\\004$zeros${zeros}$zeros${zeros}fat\\000"
    seed shared 'ARGS\000\000\000\002\000\000\000\030\000\000\000\003\000\000\000\031\000\000\000\002ab\000'
    seed in-the-table 'ARGS\000\000\000\001\000\000\000\004\000\000\000\001'
    seed empty-word 'ARGS\000\000\000\001\000\000\000\020\000\000\000\001\000'
    seed no-length 'ARGS\000\000\000\001\000\000\000\020\000\000\000\000\000'
    seed outside 'ARGS\000\000\000\001\000\000\000\020\000\000\000\002\000'
    seed sum-of-2-to-32 'ARGS\000\000\000\001\377\377\377\360\000\000\000\021\000'
    seed no-end 'ARGS\000\000\000\001\000\000\000\020\000\000\000\001a'
    seed two-ends 'ARGS\000\000\000\001\000\000\000\020\000\000\000\003a\000\000'
    seed none "ARGS$zeros"
    seed many 'ARGS\000\000\001\001'
    seed table-of-2-to-32 'ARGS\040\000\000\000'
    seed nothing ''
}

"$what"
: >all # stands for the rest
