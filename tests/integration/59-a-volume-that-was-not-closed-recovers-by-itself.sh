#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a killed server left is mended while the volume is only read: nobody has to
# change something first. One that is mounted read-only is left as it is.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fatward-inspect mkfs.fat fsck.fat
m=$work/m

for type in 12 16 32; do
    case $type in 12) kib=8192 per=8 ;; 16) kib=32768 per=4 ;; *) kib=66560 per=1 ;; esac
    make_image vol.img "$type" "$kib" -s "$per"
    serve "$work/vol.img" "$m"
    echo kept >"$m/kept"
    head -c 3000000 /dev/urandom >"$m/open"
    exec 9<"$m/open"
    # an open file without a name: what it has is lost when the server dies
    rm "$m/open"
    holds "all is committed" sync "$m/kept"
    kill -KILL "$server"
    wait "$server"
    exec 9<&-
    umount -i -l "$m"
    fatward-inspect check "$work/vol.img" >"$work/out" 2>"$work/err"
    says "lost-chain"

    before=$(cksum <"$work/vol.img")
    serve "$work/vol.img" "$m" -o ro
    is kept cat "$m/kept"
    release "$m"
    is "$before" sh -c "cksum <'$work/vol.img'"

    serve "$work/vol.img" "$m"
    is kept cat "$m/kept"
    tries=0
    until cp "$work/vol.img" "$work/copy.img" &&
        ! fatward-inspect check "$work/copy.img" 2>&1 | grep -q lost-chain; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { cat "$work/server.log" && fail "FAT$type: nothing is mended"; }
        sleep 0.05
    done
    release "$m"
    sound "$work/vol.img"
    rm "$work/vol.img"
done
