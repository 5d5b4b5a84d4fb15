#!/bin/sh
# SPDX-License-Identifier: MIT
#
# An ordinary user mounts his own image through fusermount3, works in it, and unmounts
# it. Everything there is his, and closed even to root.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward fusermount3 mkfs.fat fsck.fat setpriv python3
[ -u "$(command -v fusermount3)" ] || { echo "SKIP: fusermount3 is not setuid" && exit 77; }

make_image vol.img 32 66560 -s 1
mkdir "$work/m" || exit 99
chown 65534:65534 "$work/vol.img" "$work/m"
chmod 600 "$work/vol.img"
as_user true
for part in $(echo "$FATWARD_BIN_DIR" | tr : ' '); do
    as_user test -x "$part" || { echo "SKIP: $part is closed to others" && exit 77; }
done
# the text of an earlier failure must not be in the way
exec 3>"$work/user.log"

for way in umount.fuse.fatward "fusermount3 -u"; do
    as_user fatward -f "$work/vol.img" "$work/m" >&3 2>&1 &
    server=$!
    servers="$servers $server"
    wait_for_mount "$work/m" "$server" || { cat "$work/user.log" && fail "not mounted"; }

    is 65534:65534 as_user stat -c %u:%g "$work/m"
    holds "he works there" as_user sh -c "
        cd '$work/m' && mkdir -p a/b && seq 10000 >a/b/file && cp -a a c && mv c d &&
        chmod 644 a/b/file && touch a/b/file && rm -r d && sed -i s/9/nine/ a/b/file"
    is 65534 as_user stat -c %u "$work/m/a/b/file"
    refused "Permission denied" ls "$work/m"
    # shellcheck disable=SC2086 # a list
    holds "he unmounts with $way" as_user $way "$work/m"
    wait "$server" || { cat "$work/user.log" && fail "the server ended with $?"; }
    servers=${servers% "$server"}
    sound "$work/vol.img"
done

# as another sees it
serve "$work/vol.img" "$work/m" -o ro
is "$(seq 10000 | sed s/9/nine/ | cksum)" sh -c "cksum <'$work/m/a/b/file'"
release "$work/m"

# others are let in only if the machine's administrator allows it
if ! grep -qs '^user_allow_other' /etc/fuse.conf; then
    refused "allow_other" as_user fatward -o allow_other "$work/vol.img" "$work/m"
fi

# what is not his stays closed
chown 0:0 "$work/vol.img"
refused "permission denied" as_user fatward "$work/vol.img" "$work/m"
