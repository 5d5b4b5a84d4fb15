# SPDX-License-Identifier: MIT
#
# A few hundred states that a power cut could have left, judged by programs that are
# not ours: fsck.fat may complain of what may be left over and of nothing else, and
# after fsck.fat -a has mended a copy in its own way, mtools has to find every file that
# had one name and one content only.
#
#     fsck_sample.py PROGRAM      where PROGRAM is replay_dump
#     fsck_sample.py -d FOLDER    states that somebody has put there, who takes them away
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

# What may be left over, in the words of fsck.fat 4.2; what belongs to them is indented
# or names a path. Once it has decided to cut one of two names of a chain, it goes on to
# find that one's chain too short: 0 bytes, and never another number. The last lines but
# one are about the test's own volumes: FAT32 far too small, and a mark that only the
# first boot sector has.
ALLOWED = re.compile(rb"""fsck\.fat [0-9]
|$
|/
|  File size is [0-9]* bytes, cluster chain length is > [0-9]* bytes\.
|  File size is [0-9]* bytes, cluster chain length is 0 bytes\.
|There are differences between boot sector and its backup\.
|This is mostly harmless\. Differences:
|  65:0[01]/0[01]
|  Not automatically fixing this\.
|Warning: Filesystem is FAT32 according to fat_length
|  but has only [0-9]* clusters, less than the required minimum
|  This may lead to problems on some systems\.
|  and$
|  share clusters\.
|  Truncating second to 0 bytes\.
|  Truncating file to [0-9]* bytes\.
|Reclaimed [0-9]* unused clusters?
|Orphaned long file name part
|  Auto-deleting\.
|Long filename fragment "[^"]*" found outside a LFN sequence\.
|  \(Maybe the start bit is missing on the last fragment\)
|  Not auto-correcting this\.
|  Invalid .\.\.. entry in the second slot\. Fixing\.
|  Start cluster number is [0-9]*, should be
|FATs differ .*
|  *[Uu]sing first FAT
|0x[24][15]: Dirty bit is set\.
| Automatically removing dirty bit\.
|Dirty bit is set\.
|Free cluster summary uninitialized
|Setting free cluster summary
| *Auto-setting\.
|Leaving filesystem unchanged\.
|[^ ]*: [0-9]* files, [0-9]*/[0-9]* clusters""".replace(b"\n", b""))

# A FAT12 entry that lies across two sectors, claimed but not yet linked to, can be torn
# into any number. fsck.fat counts from 0 there.
TORN = re.compile(rb"Cluster ([0-9]+) out of range .* Setting to EOF\.$")


def is_allowed(line, kind):
    torn = TORN.match(line) if kind == 12 else None
    return ALLOWED.match(line) or torn and (int(torn[1]) + 2) % 1024 in (341, 682)


def look_at(image):
    """The type, and where the first FAT begins."""
    with open(image, "rb") as file:
        boot = file.read(512)
    sector, _, reserved = struct.unpack_from("<HBH", boot, 11)
    fat_sectors, = struct.unpack_from("<H", boot, 22)
    kind = 32 if fat_sectors == 0 else 12 if boot[54:59] == b"FAT12" else 16
    return kind, reserved * sector


def make_readable(image, kind, fat):
    """
    mtools reads no FAT that is marked dirty, and fsck.fat leaves that mark alone. And it
    goes by the number of clusters alone, so it takes a FAT32 volume with few of them for
    FAT12: it is told that there are a million sectors. Nothing changes its place by
    that, and no chain leads there.
    """
    with open(image, "r+b", buffering=0) as file:
        if kind == 16:
            os.pwrite(file.fileno(), b"\xff\xff", fat + 2)
        elif kind == 32:
            os.pwrite(file.fileno(), b"\xff\xff\xff\x0f", fat + 4)
            os.pwrite(file.fileno(), b"\0\0", 19)
            os.pwrite(file.fileno(), struct.pack("<I", 1 << 20), 32)


def say(*command):
    """What it says, in lines, and whether it did what it should."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.stdout.splitlines(), done.returncode == 0


def same(path, other):
    try:
        with open(path, "rb") as a, open(other, "rb") as b:
            return a.read() == b.read()
    except FileNotFoundError:
        return False


def bad(image, what, said):
    print(f"BAD {os.path.basename(image)}: {what}")
    for line in said:
        print(line.decode(errors="replace"))
    return 1


def compare(image, files, work):
    """In as few runs of mtools as there are files of one name; how many are bad."""
    count = 0
    while files:
        now = {}
        for file in files:
            now.setdefault(os.path.basename(file[2]), file)
        files = [file for file in files if file not in now.values()]
        copies = tempfile.mkdtemp(dir=work)
        said, _ = say("mcopy", "-n", "-o", "-i", image,
                      *(f"::/{path}" for _, _, path in now.values()), copies + "/")
        for name, (content, size, path) in now.items():
            if not same(f"{copies}/{name}", content):
                count += bad(image, f"{path} ({size} bytes) is not what it has to be", said)
        shutil.rmtree(copies)
    return count


def judge(image, work):
    """How many files were compared, and how much was bad."""
    kind, fat = look_at(image)
    said, _ = say("fsck.fat", "-n", image)
    count = 0
    if not all(is_allowed(line, kind) for line in said):
        count = bad(image, "fsck.fat says:", said)
    say("fsck.fat", "-a", image)
    make_readable(image, kind, fat)
    files = []
    with open(image[:-4] + ".files", encoding="utf-8") as listed:
        for line in listed:
            number, size, path = line.rstrip("\n").split(" ", 2)
            files.append((f"{image[:-4]}.{number}", size, path))
    return len(files), count + compare(image, files, work)


def judge_all(folder):
    images = sorted(glob.glob(glob.escape(folder) + "/*.img"))
    files = count = 0
    with tempfile.TemporaryDirectory() as work:
        for image in images:
            more, worse = judge(image, work)
            files += more
            count += worse
    print(f"{len(images)} states, {files} files compared, {count} bad")
    return len(images), files, count


def main():
    os.environ.update(LC_ALL="C", MTOOLS_SKIP_CHECK="1")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for program in ("fsck.fat", "mcopy"):
        if not shutil.which(program):
            print(f"SKIP: {program} is not installed")
            return 77
    if sys.argv[1] == "-d":
        states, files, count = judge_all(sys.argv[2])
        return 1 if count or not states or not files else 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        states, files, count = judge_all(folder)
    return 1 if count or states <= 100 or files <= 100 else 0


if __name__ == "__main__":
    sys.exit(main())
