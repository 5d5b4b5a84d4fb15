#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-inspect check --repair mends what a crash leaves, so that fsck.fat too has
# nothing more to say, and changes nothing it can't mend: nothing readable is lost either
# way. Volumes come from mkfs.fat and mtools, damage from make-damage; if FATWARD_CORPUS
# names a folder of broken volumes, *.img.gz at any depth, each of them is tried too.
. "$(dirname "$0")/tools.sh"
needs fatward-inspect fsck.fat mkfs.fat mcopy mmd mtype python3 flock timeout sha256sum
here=$(cd "$(dirname "$0")" && pwd)
export MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null

image=$work/image

# volume TYPE SECTORS FILE: as make-damage wants them
volume()
{
    truncate -s "$(($2 * 512))" "$3"
    mkfs.fat -F "$1" -s 1 -S 512 "$3" >"$work/out" 2>&1 || fail "mkfs.fat -F $1"
    mmd -i "$3" ::dir ::other ::dir/sub || fail mmd
    for name in "dir/a long name for a file" dir/second GOOD.TXT other/third; do
        mcopy -i "$3" "$work/a" "::$name" || fail "mcopy $name"
    done
}

# surgery PYTHON: on $image as "v", with the names of make-damage
surgery()
{
    python3 - "$here/make-damage" "$image" "$1" <<'P' || fail "surgery: $1"
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.SourceFileLoader("damage", sys.argv[1])
spec = importlib.util.spec_from_loader("damage", loader)
damage = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
loader.exec_module(damage)
v = damage.Volume(open(sys.argv[2], "rb").read())
exec(sys.argv[3], dict(vars(damage), v=v))
open(sys.argv[2], "wb").write(v.data)
P
}

# intact IMAGE FILE...: these files are as they were
intact()
{
    sick=$1
    shift
    for name in "$@"; do
        mtype -i "$sick" "::$name" 2>/dev/null | cmp -s - "$work/a" ||
            fail "$sick: $name is not as it was"
    done
}

files='GOOD.TXT dir/second other/third dir/ALONGN~1'

# reads: what each file shows, or that it shows nothing
reads()
{
    for name in $files; do
        printf '%s ' "$name"
        timeout 20 mtype -i "$1" "::$name" | sha256sum
    done 2>/dev/null
}

head -c 20000 /dev/urandom >"$work/a"
volume 12 2048 "$work/12.img"
volume 16 9000 "$work/16.img"
volume 32 70000 "$work/32.img"

# Each leftover alone, then all at once: mended, and said.
lost='v.link(1500, 1501); v.link(1501, 0xfffffff)'
orphan='at = v.entry(b"ALONGN~1   ", v.entry(DIR)); v.data[at] = 0xe5'
long='v.set_size(v.entry(SECOND, v.entry(DIR)), 20000 - 512 * 5)'
copies='at = (v.reserved + v.fat_sectors) * 512; v.data[at + 60:at + 70] = bytes(10)'
dotdot='s = v.at(v.start(v.entry(SUB, v.entry(DIR)))); v.set_start(s + 32, 0)'
alias='v.data[65 if v.width == 32 else 37] |= 1
a = v.entry(THIRD, v.entry(OTHER)); b = v.root
while v.data[b]: b += 32
v.data[b:b + 32] = v.data[a:a + 32]; v.data[b:b + 11] = b"ALIAS      "'
dirty='v.data[65 if v.width == 32 else 37] |= 1'
for type in 12 16 32; do
    for kind in "$lost" "$long" "$copies" "$dotdot" "$alias" "$dirty" "$orphan" \
        "$(printf '%s\n' "$lost" "$long" "$copies" "$dotdot" "$alias" "$dirty")"; do
        cp --sparse=always "$work/$type.img" "$image"
        surgery "$kind"
        run 4 fatward-inspect check "$image"
        run 1 fatward-inspect check --repair "$image"
        says ': repaired$'
        says ': clean'
        sound "$image"
        intact "$image" GOOD.TXT
        [ "$kind" = "$orphan" ] || intact "$image" "dir/a long name for a file"
        mtype -i "$image" ::dir/second >"$work/second" || fail "dir/second is gone"
        head -c "$(stat -c %s "$work/second")" "$work/a" | cmp - "$work/second" ||
            fail "dir/second shows other bytes"
        [ "$(stat -c %s "$work/second")" -ge 17440 ] || fail "dir/second is too short"
        mtype -i "$image" ::other/third 2>/dev/null | cmp -s - "$work/a" ||
            mtype -i "$image" ::ALIAS | cmp - "$work/a" || fail "other/third is gone"
        run 0 fatward-inspect check --repair "$image"
        says 'nothing to repair'
    done
done

# Lost clusters as files.
cp --sparse=always "$work/16.img" "$image"
surgery "$lost; v.data[v.at(1500):v.at(1502)] = b'lost' * 256"
run 1 fatward-inspect check --repair --save-lost "$image"
says '2 lost clusters saved in 1 file'
sound "$image"
yes lost | tr -d '\n' | head -c 1024 >"$work/lost"
mtype -i "$image" ::FSCK0000.REC | cmp - "$work/lost" ||
    fail "the lost clusters are not in the file"

# A size beyond its chain: left, and all else with it, until somebody asks.
cp --sparse=always "$work/16.img" "$image"
surgery "v.set_size(v.entry(SECOND, v.entry(DIR)), 30000); $dirty"
before=$(sha256sum <"$image")
run 4 fatward-inspect check --repair "$image"
says 'nothing was changed'
[ "$(sha256sum <"$image")" = "$before" ] || fail "it was changed all the same"
run 1 fatward-inspect check --repair --cut-sizes "$image"
sound "$image"
mtype -i "$image" ::dir/second | cmp -n 20000 - "$work/a" || fail "bytes were lost"

# Damage in names stands in nobody's way, and is left.
cp --sparse=always "$work/16.img" "$image"
surgery "$dotdot; at = v.entry(SECOND, v.entry(DIR)); v.data[at + 2] = 1"
run 5 fatward-inspect check --repair "$image"
says 'repaired in part'
says 'after the repair:'
intact "$image" GOOD.TXT other/third

# Every kind of damage: mended, or left with every byte.
mkdir "$work/images" || exit 99
for type in 12 16 32; do
    run 0 "$here/make-damage" "$work/$type.img" "$work/images"
done

# judged IMAGE: repaired in a copy
judged()
{
    cp --sparse=always "$1" "$image"
    readable=$(reads "$image")
    timeout 60 fatward-inspect check --repair "$image" >"$work/out" 2>"$work/err"
    status=$?
    case $status in
    1)
        timeout 60 fatward-inspect check -q "$image" || fail "$1: repaired, and not clean"
        ;;
    5)
        timeout 60 fatward-inspect check "$image" >"$work/left"
        [ $? -eq 4 ] || fail "$1: repaired in part, and then"
        ;;
    0 | 4 | 8 | 12)
        cmp -s "$1" "$image" || fail "$1: status $status, and changed"
        ;;
    *)
        cat "$work/out" "$work/err"
        fail "$1: ended with $status"
        ;;
    esac
    [ "$(reads "$image")" = "$readable" ] || fail "$1: status $status, a file has changed"
    eval "count_$status=\$((\${count_$status:-0} + 1))"
    count=$((count + 1))
}

count=0
for volume in "$work"/images/*.img; do
    judged "$volume"
    rm -f "$volume"
done
[ "$count" -ge 150 ] || fail "only $count volumes were made"
for type in 12 16 32; do
    run 0 "$here/make-damage" "$work/$type.img" "$work/images" 40
    for volume in "$work"/images/*.img; do
        judged "$volume"
        rm -f "$volume"
    done
done
echo "$count damaged volumes: ${count_0:-0} sound, ${count_1:-0} repaired," \
    "${count_5:-0} in part, $((${count_4:-0} + ${count_12:-0})) left alone, ${count_8:-0} refused"

# Nobody else may have it, and a medium that can't be written is left alone.
cp --sparse=always "$work/16.img" "$image"
surgery "$dirty"
before=$(sha256sum <"$image")
run 8 flock --shared "$image" fatward-inspect check --repair "$image"
says 'is in use by another program'
run 8 flock "$image" fatward-inspect check --repair "$image"
if command -v setpriv >/dev/null && [ "$(id -u)" -eq 0 ]; then
    chmod 444 "$image"
    chmod 755 "$work"
    run 8 setpriv --reuid 65534 --clear-groups "$(command -v fatward-inspect)" \
        check --repair "$image"
    says "can't be opened for writing"
    chmod 644 "$image"
fi
run 4 fatward-inspect check -n "$image"
[ "$(sha256sum <"$image")" = "$before" ] || fail "somebody wrote to it"

[ -n "${FATWARD_CORPUS:-}" ] || exit 0
needs gzip xxd
find "$FATWARD_CORPUS" -name '*.img.gz' -o -name '*.xxd.gz' | sort >"$work/list"
[ -s "$work/list" ] || fail "no volume in $FATWARD_CORPUS"
count=0 count_0=0 count_1=0 count_4=0 count_5=0 count_8=0 count_12=0
files=''
while read -r packed; do
    rm -f "$work/corpus.img"
    case $packed in
    *.xxd.gz) gzip -dc "$packed" | xxd -r - "$work/corpus.img" ;;
    *) gzip -dc "$packed" >"$work/corpus.img" ;;
    esac || fail "$packed"
    judged "$work/corpus.img"
done <"$work/list"
echo "$count volumes of the corpus: $count_0 sound, $count_1 repaired, $count_5 in part," \
    "$((count_4 + count_12)) left alone, $count_8 refused"
