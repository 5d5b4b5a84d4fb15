#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Volumes that mkfs.fat and mtools made, sound, with damage of every kind and at random,
# are each checked, walked, written to where that is possible, and repaired with every
# choice of options, in memory, so that a sanitizer can watch. If FATWARD_CORPUS names a
# folder of volumes, *.img.gz at any depth and *.xxd.gz as xxd writes them, these too.
# FATWARD_ROUNDS: how often with damage at random, for each width.
. "$(dirname "$0")/tools.sh"
needs volume-user mkfs.fat mmd mcopy python3
here=$(cd "$(dirname "$0")" && pwd)
export MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null

# try IMAGE...: what is said goes where the images tried are counted
try()
{
    volume-user "$@" >"$work/said" 2>&1 || {
        cat "$work/said"
        fail "volume-user ended with $?"
    }
    [ "$(grep -c ': opened\|: not opened' "$work/said")" -eq $# ] || fail "some were left out"
    cat "$work/said" >>"$work/all"
    rm -f "$@"
}

head -c 20000 /dev/urandom >"$work/a"
mkdir "$work/images" || exit 99
for volume in "12 2048" "16 9000" "32 70000"; do
    good=$work/${volume% *}.img
    truncate -s "$((${volume#* } * 512))" "$good"
    mkfs.fat -F "${volume% *}" -s 1 -S 512 "$good" >"$work/out" 2>&1 || fail mkfs.fat
    mmd -i "$good" ::dir ::other ::dir/sub || fail mmd
    for name in "dir/a long name for a file" dir/second GOOD.TXT other/third; do
        mcopy -i "$good" "$work/a" "::$name" || fail "mcopy $name"
    done
    "$here/make-damage" "$good" "$work/images" || fail make-damage
    "$here/make-damage" "$good" "$work/images" "${FATWARD_ROUNDS:-20}" || fail make-damage
    try "$good" "$work"/images/*.img
done

if [ -n "${FATWARD_CORPUS:-}" ]; then
    needs gzip xxd
    find "$FATWARD_CORPUS" -name '*.img.gz' -o -name '*.xxd.gz' | sort >"$work/list"
    [ -s "$work/list" ] || fail "no volume in $FATWARD_CORPUS"
    while read -r packed; do
        volume=$work/$(basename "${packed%.*.gz}").img
        case $packed in
        *.xxd.gz) gzip -dc "$packed" | xxd -r >"$volume" ;;
        *) gzip -dc "$packed" | cp --sparse=always /dev/stdin "$volume" ;;
        esac
        try "$volume"
    done <"$work/list"
fi

grep -c ' written to,.* mended$' "$work/all" | awk '$1 < 20 { exit 1 }' ||
    fail "too few were written to and mended"
grep -v '^count:' "$work/all"
awk '/^count:/ { sum += $2 } END { print "count: " sum " images tried" }' "$work/all"
