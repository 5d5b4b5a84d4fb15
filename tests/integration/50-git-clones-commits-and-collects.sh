#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A repository is cloned to the mount, worked in, and collected; a new server and
# git's own check find all of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tree.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3 git
export HOME="$work" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a

mkdir "$work/origin" "$work/files" || exit 99
run 0 "$tree" make "$work/files" 300 4
rm -rf "$work/files/beyond"
cd "$work/origin" || exit 99
run 0 git init -q -b main
for part in "$work"/files/*; do
    cp -r "$part" . && run 0 git add -A && run 0 git commit -q --allow-empty -m "$part"
done

make_image vol.img 32 131072 -s 2
serve "$work/vol.img" "$work/m"
run 0 git clone -q --no-hardlinks "$work/origin" "$work/m/clone"
cd "$work/m/clone" || exit 99
is "" git status --porcelain
is true git config core.ignorecase
run 0 git checkout -q -b work
i=0
while [ $i -lt 20 ]; do
    echo $i >>counter && run 0 git add counter && run 0 git commit -q -m "step $i"
    i=$((i + 1))
done
run 0 git mv counter COUNTER
run 0 git commit -q -m "another case"
is COUNTER ls COUNTER
run 0 git checkout -q main
run 0 git merge -q --no-ff -m merge work
run 0 git stash list
run 0 git gc -q --prune=now
run 0 git fsck --strict
run 0 git push -q "$work/origin" main:pushed
is "" git status --porcelain
is 19 tail -n 1 COUNTER
git rev-parse HEAD >"$work/head"
cp -r "$work/m/clone" "$work/copy" || exit 99

cd "$work" || exit 99
release "$work/m"
sound "$work/vol.img"
serve "$work/vol.img" "$work/m" -o ro
same "all is there after a remount" "$work/copy" "$work/m/clone"
is "$(cat "$work/head")" git -C "$work/m/clone" rev-parse HEAD
run 0 git -C "$work/m/clone" fsck --strict
release "$work/m"
