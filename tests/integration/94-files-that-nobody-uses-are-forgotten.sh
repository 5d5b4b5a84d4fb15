#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A server keeps something for each file that the kernel knows. When these are many it
# asks the kernel to forget those that nobody uses: its memory levels off, and what is
# open, mounted on or somebody's current directory stays what it is.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat python3
printf '6.18\n%s\n' "$(uname -r)" | sort -C -V ||
    { echo "SKIP: a kernel before 6.18 can't be asked to" && exit 77; }
here=$(dirname "$(realpath "$0")")
m=$work/m
export FATWARD_MOST_FILES=2000

make_image vol.img 32 200000 -s 1
serve "$work/vol.img" "$m"
holds "there are many files" python3 -c "
import os
for d in range(24):
    os.mkdir(f'$m/d{d}')
    for i in range(1000):
        os.close(os.open(f'$m/d{d}/a file {i}', os.O_CREAT | os.O_WRONLY))
os.mkdir('$m/mounted')
for name in 'open', 'bound', 'beneath':
    with open(f'$m/d0/{name}', 'w') as file:
        file.write(name)"
release "$m"
fsck.fat -n "$work/vol.img" >/dev/null || fail "fsck.fat finds something"

serve "$work/vol.img" "$m"
echo other >"$work/other"
mount --bind "$work/other" "$m/d0/bound" && mount -t tmpfs tmpfs "$m/mounted" || exit 99
touch "$m/mounted/inside"
cat >"$work/walk.py" <<'END'
import glob, os, sys, time
mount, server = sys.argv[1:]

def rests(task):
    with open(f"{task}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"

# What the kernel was asked to forget is forgotten, and the server has heard of it.
def settle():
    while not all(rests(task) for task in glob.glob(f"/proc/{server}/task/*")):
        time.sleep(0.001)

def memory():
    with open(f"/proc/{server}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

def walk(directories):
    for d in directories:
        count = sum(1 for entry in os.scandir(f"{mount}/d{d}") if entry.stat().st_size == 0)
        assert count == 1000, f"{count} files in d{d}"
        settle()

file = os.open(f"{mount}/d0/open", os.O_RDWR)
place = os.open(f"{mount}/d0/beneath", os.O_PATH)
os.chdir(f"{mount}/d1")
walk(range(1, 8))
few = memory()
walk(range(8, 24))
many = memory()
print(f"{few} KiB with 7,000 files, {many} KiB with 23,000")
assert many - few < 16000 * 0.7 / 2, "it keeps all"
assert os.getcwd() == f"{mount}/d1" and os.path.exists("a file 1"), "not there any more"
for descriptor, name in ((file, "open"), (place, "beneath")):
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    assert path == f"{mount}/d0/{name}", path
assert os.pread(file, 10, 0) == b"open" and os.pwrite(file, b"written", 0) == 7
os.fsync(file)
assert os.path.samestat(os.fstat(file), os.stat(f"{mount}/d0/open")), "another number"
END
python3 "$work/walk.py" "$m" "$server" || fail "see above"
is other cat "$m/d0/bound"
is inside ls "$m/mounted"
is written cat "$m/d0/open"
umount "$m/d0/bound" "$m/mounted" || fail "what was mounted there is gone"
is bound cat "$m/d0/bound"
release "$m"
rm "$work/vol.img"
