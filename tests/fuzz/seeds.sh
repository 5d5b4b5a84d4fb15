#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a fuzzer starts from: sound messages of every kind, and the near misses that a
# mutation doesn't find soon.
# usage: seeds.sh TARGET DIRECTORY
what=${1:?usage: seeds.sh TARGET DIRECTORY}
directory=${2:?usage: seeds.sh TARGET DIRECTORY}
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

# Images: see image.h. Eight bytes of head, patches, a program.
# hex NAME BYTES   two digits a byte, with blanks between as one likes
hex()
{
    name=$1
    shift
    # shellcheck disable=SC2059 # the format is made here
    printf "$(printf '%s' "$*" | tr -d ' \n' | sed 's/../\\x&/g' | to_octal)" >"$name"
}

# printf(1) of dash knows no \x
to_octal()
{
    awk '{
        n = split($0, byte, "\\\\x")
        for (i = 2; i <= n; i++) printf "\\%03o", 16 * value(substr(byte[i], 1, 1)) + value(substr(byte[i], 2, 1))
    }
    function value(digit) { return index("0123456789abcdef", digit) - 1 }'
}

image_read()
{
    for preset in 00 01 02 03 04 05 06 07; do
        hex "preset-$preset" "$preset 00 0000 00000000"
        hex "small-cache-$preset" "$preset 02 0000 00000000"
    done
    hex read-only '00 01 0000 00000000'
    hex cut-short '05 04 0000 00000000'
    hex frozen '05 08 0000 00000000'
    hex no-volume 'ff 00 0000 40000000'
    hex no-device 'ff 00 0000 00000000'
    hex raw 'fe 00 0000 00000000 eb3c90'
    hex dirty '05 00 0000 00000000 01 41000000 0100 01'
    hex dirty-12 '00 00 0000 00000000 01 25000000 0100 01'
    hex larger '00 00 0000 00000000 01 13000000 0200 ffff'
    hex no-mirror '06 00 0000 00000000 01 28000000 0200 8100'
    hex copy-differs '06 00 0000 00000000 03 05000010 0400 00000000'
    hex free-count '05 00 0000 00000000 02 e8010000 0800 05000000 02000000'
    hex chain-loop '00 00 0000 00000000 03 030000f0 0400 02000000'
    hex chain-shared '03 00 0000 00000000 03 030000f0 0400 06000000'
    hex chain-free '05 00 0000 00000000 03 030000f0 0400 00000000'
    hex chain-bad '01 00 0000 00000000 03 030000f0 0400 f7ffff0f'
    hex folder-is-root '05 00 0000 00000000 04 7a010000 0200 0200'
    hex size '00 00 0000 00000000 04 3c000000 0400 ffffffff'
    hex attribute '00 00 0000 00000000 04 2b000000 0100 10'
    hex end-mark '00 00 0000 00000000 04 60000000 0100 00'
}

image_write()
{
    image_read
    # create, write, append, truncate, rename, unlink, commit, reopen
    program='0000 0001 09 0801 0000 0010 07 0901 0000 0004 09 0a01 0501 00
        0600 0000 09 0b 0400 0b 0e00 00 0e00 02'
    for preset in 00 01 02 03 04 05 06 07; do
        hex "program-$preset" "$preset 00 2600 00000000 $program"
    done
    # a folder, files in it, renamed over each other and exchanged
    program='0200 0001 09 0001 0002 0a 0001 0003 0b 0801 0000 0020 01
        0701 0101 0a0c 0701 0102 0b0d 0600 0100 050b 0500 05 0300 0405 0600 0400 0607
        0e00 00 0400 01 0e00 02'
    for preset in 00 03 05; do
        hex "folders-$preset" "$preset 00 3600 00000000 $program"
    done
    hex full '00 00 1400 00000000 0000 0001 09 0a01 ffff ff 0801 0000 ff1f 01 0e00 00'
}

# Three bytes of program: flags and what fails, and when, see fuzz_image_repair.c.
image_repair()
{
    image_read
    fat12='00 00 0300 00000000'
    fat16='03 00 0300 00000000'
    fat32='05 00 0300 00000000'
    dirty12='01 25000000 0100 01'
    dirty32='01 41000000 0100 01'
    # lost: two clusters in a row, and one alone
    lost='03 780000f0 0400 79000000 03 790000f0 0400 ffffff0f 03 7c0000f0 0400 ffffff0f'
    for how in 00 01 02 03 04 05 08 09 0c 18 19; do
        for nth in 0000 0300; do
            hex "lost-12-$how-$nth" "$fat12 $lost $how $nth"
            hex "lost-16-$how-$nth" "$fat16 $lost $how $nth"
            hex "lost-32-$how-$nth" "$fat32 $dirty32 $lost $how $nth"
            hex "count-32-$how-$nth" "$fat32 02 e8010000 0400 05000000 $how $nth"
            hex "copies-32-$how-$nth" "06 00 0300 00000000 03 05000010 0400 00000000 $how $nth"
            # a file that is longer than its chain, one that is shorter
            hex "size-12-$how-$nth" "$fat12 04 3c000000 0400 00080000 $how $nth"
            hex "long-12-$how-$nth" "$fat12 $dirty12 04 3c000000 0400 05000000 $how $nth"
            # a long name that lost its entry, beside lost clusters
            hex "orphan-32-$how-$nth" "$fat32 $lost 04 80000000 0100 e5 $how $nth"
            # a second name of one chain, in a new entry at the end of the root
            hex "alias-12-$how-$nth" "$fat12 $dirty12 04 20010000 2000
                4e45572020202020545854 20 0000000000000000000000000000 0200 dc050000 $how $nth"
            hex "name-12-$how-$nth" "$fat12 $lost 04 20000000 0100 22 $how $nth"
        done
    done
}

format()
{
    hex nothing '00'
    for type in 01 02 03 09 0a 0b; do
        hex "type-$type" "$type 3f $(printf '%080d' 0) 00000100"
        hex "large-$type" "$type 3f $(printf '%080d' 0) 00000002"
    done
    hex sectors '23 3f 18000000 00000000 0000 0000 0000 00000000 00000000 00
        00000000000000000000000000 00000000 00000080'
    hex label 'e2 00 00020000 02000000 0200 2000 0100 3f000000 efbeadde f8
        4c4142454c000000000000 0000 00000050 0000 00000080'
    hex enormous "01 3f $(printf '%080d' 0) 00000020"
}

ondisk()
{
    fat32='eb58906d6b66732e66617400020108000200000000f80000 3f00ff0000000000 00000100
        fc030000 00000000 02000000 0100 0600 000000000000000000000000 800029 78563412
        4e4f204e414d45202020204641543332202020'
    fat16='eb3c906d6b66732e6661740002040100020002 0080f82000 3f00ff0000000000 00000000
        800029 78563412 4e4f204e414d45202020204641543136202020'
    rest=$(printf '%0840d' 0)
    hex boot-32 "00 $fat32 $rest 55aa"
    hex boot-16 "00 $fat16 $(printf '%056d' 0) $rest 55aa"
    hex fsinfo "01 52526141 $(printf '%0960d' 0) 72724161 ffffffff 02000000
        $(printf '%024d' 0) 000055aa"
    for type in 00 01 02; do
        hex "entry-$type" "02 $type 05000000 f8ffff0f 00000000"
        hex "entry-odd-$type" "02 $type 06000000 03400000 ffffffff"
        hex "slot-$type" "03 46494c45202020205458542018c7216b55575500 0000 216b5557 0300
            00010000 $type 3c00"
    done
    hex time '04 00e1f505 00000000 00000000 a005 00'
    hex time-before '04 ffffffff ffffffff ffffc99a 0000 01'
}

names()
{
    seed text '\000smile \360\237\230\200 \303\244'
    seed text-wrong '\000\355\240\200\300\200'
    hex units '01 4100 3dd8 00de e400'
    hex units-alone '01 3dd8 4100 00de'
    seed short '\002\000\000\000\000README.TXT'
    seed lower '\002\000\000\000\000readme.txt'
    seed mixed '\002\002\000\000\000ReadMe.Text.gz'
    seed umlaut '\002\000\001\000\000\303\244\303\226.txt'
    seed dots '\002\000\000\000\000.a.b...'
    seed tail '\002\377\377\010\000plus+comma, [x]'
    hex slots '03 4558414d504c45545854 00 01 41 650078006d0070006c00 0f 00 00
        65002e00740078007400 0000 0000 ffff ffff'
    hex slots-two '03 4558414d504c45545854 00 01 42 780000ffffffffffffff 0f 00 00
        ffffffffffffffffffffffff 0000 ffffffff
        01 61006200630064006500 0f 00 00 660067006800690070006b00 0000 6c006d00'
}

plan()
{
    seed user "\\000\\010TYPE\\000\\000\\000\\000\\016NAME/dev/sda1\\000\\015MNTP\\100\\000\\000\\000/mnt\\000\\030OPTSdefault_permissions\\000\\011MTABx-a\\000\\000\\010DOIT\\000\\000\\000\\006"
    seed root "\\002\\010TYPE\\000\\000\\000\\001\\016NAME/dev/sda1\\000\\015MNTP\\100\\000\\000\\000/mnt\\000\\035OPTSblksize=4096,allow_other\\000\\010DOIT\\000\\000\\000\\001\\010DOIT\\000\\000\\000\\001"
    seed open "\\000\\032OPEN\\000\\000\\000\\202\\000\\000\\000\\000\\000\\000\\000\\000/dev/sda1\\000\\031OPEN\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000/dev/sdb\\000"
    seed others "\\004\\020OPTSallow_other\\000\\034OPTScontext=\"a,b\",max_read=1\\000"
    seed table "\\000\\040MTABx-gvfs-show,x-mount.mkdir,x\\000\\014MTABx-a,x-b\\000"
    seed file "\\011\\015MNTP\\200\\000\\000\\000/mnt\\000"
}

options()
{
    seed words '\000ro,allow_other,context="a,b",x-y,user=me,fd=3,umask=0\\,1,noatime,suid'
    seed user '\001ro,uid=1000,gid=100,noexec,suid,umask=022,service,x-a,defaults'
    seed user-others '\041allow_other,rw,commit=5'
    seed user-sloppy '\101unknown=1,a\\,b,nosymfollow'
    seed root '\021uid=5,context=x,allow_other,dev,exec'
    seed owner '\001uid=0'
    seed kernel '\063default_permissions,allow_other,max_read=65536,context="a,b",ro'
    seed kernel-block '\163blksize=512,rootcontext=c'
    seed conf '\005# fuse.conf\nuser_allow_other\nmount_max = 100\n'
    seed mountinfo '\00536 1 0:5 / /mnt rw - fuse.vfat /dev/sda1 rw\n'
    seed helper '\006/sbin/mount.vfat\n/dev/sda1\n/mnt\n-sn\n-o\nro,uid=5\n-t\nfuse.vfat'
    seed check '\007fatward-mount\n--check\n-t\nvfat\n--timeout=600\n--\n'
}

# What comes with a packet, its length, its bytes: see script.h.
helper()
{
    hello='\000\010LAST\000\001\000\000'
    for how in 000 001 004 010 021; do
        seed "whole-$how" "\\$how$hello\\000\\010TYPE\\000\\000\\000\\000\\000\\032OPEN\\000\\000\\000\\202\\000\\000\\000\\000\\000\\000\\000\\000/dev/sda1\\000\\000\\016NAME/dev/sda1\\000\\000\\015MNTP\\100\\000\\000\\000/mnt\\000\\000\\030OPTSdefault_permissions\\000\\000\\011MTABx-a\\000\\000\\000\\010DOIT\\000\\000\\000\\006\\000\\010BYEE\\000\\000\\000\\000"
        seed "failed-$how" "\\$how$hello\\000\\016NAME/dev/sda1\\000\\000\\015MNTP\\100\\000\\000\\000/mnt\\000\\000\\010DOIT\\000\\000\\000\\006\\000\\010BYEE\\000\\000\\000\\001"
    done
    seed version '\000\000\010LAST\000\002\000\000'
}

server()
{
    hello='\000\014SAFT\000\001\000\001\000\000\000\003'
    argv='\002\015FILE\000\000\000\000argv\000\035ARGS\000\000\000\002\000\000\000\030\000\000\000\002\000\000\000\032\000\000\000\003a\000-o\000'
    fuse='\001\020FILE\000\000\000\000fusedev\000'
    open='\001\022FILE\000\000\000\000/dev/sda1\000'
    done='\000\010REPL\000\000\000\000'
    for how in 000 001 002 004; do
        seed "whole-$how" "\\$how$hello$argv$fuse$open$done$done$done$done$done$done"
        seed "refused-$how" "\\$how$hello$argv$fuse$open$done\\000\\010REPL\\000\\000\\000\\020"
    done
    seed not-opened "\\004$hello$argv$fuse\\000\\012FILE\\000\\000\\000\\026?\\000$done"
    seed silent "\\000$hello\\003"
}

"$what"
: >all # stands for the rest
