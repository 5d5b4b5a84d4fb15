#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The options of a mount: owner, masks, read-only, who else may look; what chmod and
# chown can do on FAT; and unknown words are refused by name.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat setpriv
m=$work/m
make_image vol.img 16 16384
chmod 755 "$work"

# owner and masks
serve "$work/vol.img" "$m" -o uid=1234,gid=4321,fmask=137,dmask=027
mkdir "$m/d" && echo x >"$m/f"
is "1234 4321 640" stat -c "%u %g %a" "$m/f"
is "1234 4321 750" stat -c "%u %g %a" "$m/d"
refused "not permitted" chown 99 "$m/f"
holds "the owner it has" chown 1234:4321 "$m/f"
holds "bits that FAT can't keep" chmod 7777 "$m/f"
is 640 stat -c %a "$m/f"
holds "the write bit goes" chmod u-w "$m/f"
is 440 stat -c %a "$m/f"
holds "to what it shows already" chmod 440 "$m/f"
is 440 stat -c %a "$m/f"
holds "a directory" chmod 700 "$m/d"
is 750 stat -c %a "$m/d"
for make in "ln $m/f $m/g" "ln -s f $m/g" "mkfifo $m/g"; do
    # shellcheck disable=SC2086
    refused "not permitted" $make
done
release "$m"

# the attribute is on the volume, not in the server
serve "$work/vol.img" "$m" -o umask=022
is 555 stat -c %a "$m/f"
is 755 stat -c %a "$m/d"
holds "others may look at root's mount" setpriv --reuid 65534 --clear-groups cat "$m/f"
refused denied setpriv --reuid 65534 --clear-groups touch "$m/new"
is fuse.fatward findmnt -no FSTYPE "$m"
is "$work/vol.img" findmnt -no SOURCE "$m"
release "$m"

serve "$work/vol.img" "$m" -o noallow_other
refused denied setpriv --reuid 65534 --clear-groups ls "$m"
release "$m"

# read-only
serve "$work/vol.img" "$m" -o ro
refused "Read-only" touch "$m/new"
is x cat "$m/f"
release "$m"

# what fstab lines carry
serve "$work/vol.img" "$m" -o \
    "defaults,noauto,nofail,user,_netdev,x-gvfs-show,x-systemd.idle-timeout=9,nosuid,nodev,noexec,relatime,noatime,commit=2,sync,dirsync,flush,fsname=a\\,b,subtype=x"
is "a,b fuse.x" findmnt -no SOURCE,FSTYPE --raw "$m"
echo y >"$m/g"
fusermount3 -u "$m" 2>/dev/null || umount -i "$m"
ends 0

# what makes no sense
run 1 fatward "$work/vol.img" "$m" -o wibble
says "wibble"
run 1 fatward "$work/vol.img" "$m" -o uid=me
says "uid=me"
run 1 fatward "$work/vol.img" "$m" -o umask=888
says "umask=888"
run 1 fatward "$work/vol.img" "$m" -o commit=0
says "commit=0"
run 1 fatward "$work/vol.img"
run 1 fatward "$work/vol.img" "$m" more
run 0 fatward -h
says "usage"
run 0 fatward -V
says "libfuse"

# what can't be mounted is named, with a reason
run 32 fatward "$work/none.img" "$m"
says "none.img: No such file"
: >"$work/empty.img"
run 32 fatward "$work/empty.img" "$m"
says "empty.img"
head -c 100000 /dev/zero >"$work/zero.img"
run 32 fatward "$work/zero.img" "$m"
says "zero.img"
run 32 fatward "$work/vol.img" "$work/nowhere"
says "nowhere: No such file"

sound "$work/vol.img"

# the sizes of requests, and words of the kernel's vfat for what is so anyway
for words in max_read=65536 max_readahead=131072 max_background=20 \
    utf8,iocharset=utf8,codepage=437,shortname=mixed,errors=remount-ro,quiet errors=continue; do
    serve "$work/vol.img" "$m" -o "$words"
    holds "the mount works with $words" cat "$m/f"
    release "$m"
done
for words in max_read=0 max_readahead=2000000 max_background=70000 codepage=850 \
    iocharset=iso8859-1 errors=panic errors=; do
    refused "'$words'" fatward "$work/vol.img" "$m" -o "$words"
done
