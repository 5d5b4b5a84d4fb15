# SPDX-License-Identifier: MIT
#
# Real programs on a mounted volume, for tests/replay/workloads.
#
#     workloads.py make TYPE IMAGE       an empty volume; its free clusters are full of
#                                        bytes that nobody may ever see in a file
#     workloads.py run NAME DIRECTORY LOG
#     workloads.py list
#     workloads.py prove NAME DIRECTORY  what a database or a repository says of the
#                                        states that were dumped there, once recovered
#
# Contents that are made here say whose they are. A note in the log is a promise of the
# program's own: so many commits have been acknowledged.
import os
import random
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading

NOTE, MAGIC = 7, 0x6D696873
LONG = os.environ.get("REPLAY_LONG", "0") not in ("", "0")
VOLUMES = {  # mkfs.fat's options, KiB: small, or judging takes long
    "12": (["-F", "12", "-s", "1", "-r", "128"], 900),
    "12-2": (["-F", "12", "-s", "2", "-r", "128"], 1100),
    "16": (["-F", "16", "-s", "1", "-r", "128"], 2200),
    "32": (["-F", "32", "-s", "1"], 900),
}


def make(kind, image):
    options, kib = VOLUMES[kind]
    if os.path.exists(image):
        os.unlink(image)
    subprocess.run(
        ["mkfs.fat", *options, "-i", "12345678", "-C", image, str(kib)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(image, "r+b") as file:
        boot = file.read(512)
        sector, = struct.unpack_from("<H", boot, 11)
        reserved, = struct.unpack_from("<H", boot, 14)
        roots, = struct.unpack_from("<H", boot, 17)
        fat = struct.unpack_from("<H", boot, 22)[0] or struct.unpack_from("<I", boot, 36)[0]
        data = (reserved + boot[16] * fat) * sector + roots * 32
        if kind == "32":
            data += boot[13] * sector  # the root's
        file.seek(data)
        left = os.path.getsize(image) - data
        # a short name, as a slot of a directory, in each 32 bytes
        file.write((b"STALE000TXT " + b"." * 14 + b"zzzz" + b"..") * (left // 32))


class Log:
    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND)

    def note(self, number, text=b""):
        os.write(self.fd, struct.pack("<IHHQQQ", MAGIC, NOTE, 0, len(text), number, 0) + text)


def tagged(who, size):
    line = b"%-22s %08d\n"
    return b"".join(line % (who.encode()[:22], i) for i in range(size // 32 + 1))[:size]


def put(path, size, sync=True, tag=None):
    with open(path, "wb", buffering=0) as file:
        file.write(tagged(tag or path, size))
        if sync:
            os.fsync(file.fileno())


def sync_directory(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def tool(*arguments, **options):
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **options)


def untar(log):
    with tempfile.TemporaryDirectory() as source:
        rng = random.Random(1)
        for i in range(60):
            folder = f"{source}/tree/part {i % 5}/of a deeper tree"
            os.makedirs(folder, exist_ok=True)
            with open(f"{folder}/a file with number {i}.text", "wb") as file:
                file.write(tagged(f"tar {i}", rng.choice((0, 31, 700, 3000, 9000))))
        tool("tar", "-C", source, "-cf", f"{source}/all.tar", "tree")
        tool("tar", "-xf", f"{source}/all.tar")
    sync_directory(".")
    tool("tar", "-C", "tree", "-cf", "again.tar", ".")
    tool("sync", "again.tar")
    tool("rm", "-r", "tree/part 1", "again.tar")


def save_vim(log):
    put("letter.txt", 900)
    for i in range(6 if not LONG else 40):
        tool("vim", "-u", "NONE", "-N", "-es", "-c", "set backup writebackup swapsync=fsync fsync",
             "-c", f"normal ggOthe save with number {i}", "-c", "wq", "letter.txt",
             env={**os.environ, "HOME": "/nonexistent", "TERM": "dumb"})
        sync_directory(".")
        log.note(i + 1)


def save_rename(log):
    for name in ("notes.txt", "a document with a long name.odt", "SHORT"):
        put(name, 1500)
    for i in range(25 if not LONG else 200):
        name = ("notes.txt", "a document with a long name.odt", "SHORT")[i % 3]
        # as gedit and many more do it
        new = f".goutputstream-{i:06d}"
        put(new, 300 + 257 * (i % 12), tag=f"save {i}")
        os.rename(new, name)
        sync_directory(".")
        log.note(i + 1)
        if i % 4 == 0:
            tool("sed", "-i", "s/save/SAVE/", name)
        if i % 5 == 0:
            # with a backup
            os.rename(name, name + "~")
            put(name, 2000 + i, tag=f"again {i}")


def sqlite_rows(log, mode, rounds):
    base = sqlite3.connect("data.db", isolation_level=None)
    base.execute("PRAGMA page_size=1024")
    assert base.execute(f"PRAGMA journal_mode={mode}").fetchone()[0] == mode
    # FULL does not sync the directory that the journal is removed from
    base.execute(f"PRAGMA synchronous={'EXTRA' if mode == 'delete' else 'FULL'}")
    if mode == "wal":
        base.execute("PRAGMA wal_autocheckpoint=12")
    base.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, text)")
    log.note(1)
    for i in range(1, rounds + 1):
        base.execute("BEGIN")
        base.execute("INSERT INTO t VALUES(?, ?)", (i, f"row {i} " * 20))
        if i % 3 == 0:
            base.execute("UPDATE t SET text = text || ? WHERE id % 4 = 1", (f" {i}",))
        if i % 7 == 0:
            base.execute("ROLLBACK")
            base.execute("BEGIN")
            base.execute("INSERT INTO t VALUES(?, ?)", (i, f"row {i} " * 20))
        base.execute("COMMIT")
        log.note(i + 1)
    base.close()


def sqlite_delete(log):
    sqlite_rows(log, "delete", 14 if not LONG else 60)


def sqlite_truncate(log):
    sqlite_rows(log, "truncate", 14 if not LONG else 60)


def sqlite_wal(log):
    sqlite_rows(log, "wal", 20 if not LONG else 80)


GIT = ("git", "-c", "user.name=n", "-c", "user.email=e", "-c", "core.fsync=all",
       "-c", "core.fsyncMethod=fsync", "-c", "gc.auto=0", "-c", "core.autocrlf=false")


def git(log):
    tool(*GIT, "init", "-q", "--template=", "repo")
    for i in range(4 if not LONG else 20):
        for k in range(3):
            put(f"repo/file {k}.c", 400 + 300 * i, sync=False, tag=f"git {i} {k}")
        tool(*GIT, "-C", "repo", "add", "-A")
        tool(*GIT, "-C", "repo", "commit", "-q", "-m", f"commit {i}")
        sync_directory("repo/.git/refs/heads")  # git doesn't
        log.note(i + 1)
    tool(*GIT, "-C", "repo", "repack", "-q", "-a", "-d")


def maildir(log):
    for folder in ("tmp", "new", "cur"):
        os.makedirs(f"mail/{folder}")
    sync_directory("mail")
    rng = random.Random(3)
    waiting = []
    for i in range(24 if not LONG else 150):
        name = f"{1700000000 + i}.M{i}P1.host"
        put(f"mail/tmp/{name}", rng.choice((200, 1800, 5000)), tag=f"mail {i}")
        os.rename(f"mail/tmp/{name}", f"mail/new/{name}")
        sync_directory("mail/new")
        log.note(i + 1)
        waiting.append(name)
        if i % 3 == 2:
            seen = waiting.pop(0)
            os.rename(f"mail/new/{seen}", f"mail/cur/{seen}_2,S")
        if i % 8 == 7:
            os.unlink(f"mail/cur/{sorted(os.listdir('mail/cur'))[0]}")


def many_small(log):
    rng = random.Random(4)
    os.mkdir("many")
    for i in range(160 if not LONG else 900):
        name = f"many/{'small file ' * rng.randrange(3)}{rng.randrange(50)}.x"
        if os.path.exists(name) and rng.randrange(2):
            os.unlink(name)
        else:
            put(name, rng.choice((0, 40, 512, 513, 1600)), sync=rng.randrange(6) == 0,
                tag=f"{i} of {name[5:]}")
        if i % 40 == 39:
            sync_directory("many")


def two_writers(log):
    def work(who):
        with open(f"writer {who}.log", "wb", buffering=0) as file:
            for i in range(25 if not LONG else 150):
                file.write(tagged(f"writer {who} {i}", 160 + 96 * who))
                if i % 3 == who:
                    os.fsync(file.fileno())
                if i % 10 == 9:
                    os.makedirs(f"of {who}/{i}", exist_ok=True)
                    put(f"of {who}/{i}/x", 700, tag=f"x {who} {i}")
    threads = [threading.Thread(target=work, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def runs_full(log):
    for turn in range(2 if not LONG else 8):
        i = 0
        put("keep", 4000, tag=f"keep {turn}")
        try:
            while True:
                size = 60000 if i < 10 else 9000
                put(f"fill {i}.bin", size, sync=i % 4 == 0, tag=f"fill {turn} {i}")
                i += 1
        except OSError as error:
            assert error.errno == 28, error
        os.listdir(".")
        try:
            with open("keep", "ab", buffering=0) as file:
                for k in range(400):
                    file.write(tagged(f"keep {turn} more", 512))
        except OSError as error:
            assert error.errno == 28, error
        os.stat("keep")
        for k in range(0, i, 2):
            os.unlink(f"fill {k}.bin")
        put("after", 9000, tag=f"after {turn}")
        for name in os.listdir("."):
            if name.startswith("fill"):
                os.unlink(name)
        sync_directory(".")


def growing_directory(log):
    os.mkdir("grows")
    for i in range(90 if not LONG else 400):
        open(f"grows/a name long enough for three slots {i}", "wb").close()
        if i % 9 == 0:
            put(f"grows/synced {i}", 600, tag=f"grows {i}")
    for i in range(0, 90, 4):
        os.rename(f"grows/a name long enough for three slots {i}", f"grows/{i}")
    sync_directory("grows")


def sector_edges(log):
    # FAT12 entries 341 and 682 lie across two sectors: files grow around them
    put("before", 320 * 512, tag="before")
    for i in range(18 if not LONG else 60):
        with open(f"edge {i % 6}", "ab", buffering=0) as file:
            file.write(tagged(f"edge {i % 6} {i}", 512 * (1 + i % 4)))
            os.fsync(file.fileno())
        if i % 5 == 4:
            os.truncate(f"edge {i % 6}", 300)
            put(f"new {i}", 1400, tag=f"new {i}")
        if i % 7 == 6:
            os.unlink(f"edge {i % 3}")
            sync_directory(".")


WORKLOADS = {
    "untar": (untar, ("12", "16", "32"), ()),
    "save-vim": (save_vim, ("12-2", "32"), ("vim",)),
    "save-rename": (save_rename, ("12", "16", "32"), ()),
    "sqlite-delete": (sqlite_delete, ("12", "16", "32"), ()),
    "sqlite-truncate": (sqlite_truncate, ("12", "32"), ()),
    "sqlite-wal": (sqlite_wal, ("12", "16", "32"), ()),
    "git": (git, ("12", "32"), ("git",)),
    "maildir": (maildir, ("12", "16", "32"), ()),
    "many-small": (many_small, ("12", "16", "32"), ()),
    "two-writers": (two_writers, ("12", "16", "32"), ()),
    "runs-full": (runs_full, ("12", "12-2", "32"), ()),
    "growing-directory": (growing_directory, ("12", "16", "32"), ()),
    "sector-edges": (sector_edges, ("12", "12-2"), ()),
}


def run(name, directory, log):
    os.chdir(directory)
    WORKLOADS[name][0](Log(log))


# Proofs

class Volume:
    """Reads a small volume, of any type; mtools takes a small FAT32 for another one."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.image = file.read()
        sector, self.per, reserved, fats, roots = struct.unpack_from("<HBHBH", self.image, 11)
        size = struct.unpack_from("<H", self.image, 22)[0]
        self.root = 0
        if size == 0:
            size, self.root = (struct.unpack_from("<I", self.image, at)[0] for at in (36, 44))
        self.fat = reserved * sector
        self.roots = (reserved + fats * size) * sector, roots * 32
        self.data = sum(self.roots)
        self.cluster = self.per * sector
        count = (len(self.image) - self.data) // self.cluster
        self.bits = 32 if self.root else 12 if count < 4085 else 16

    def chain(self, cluster):
        while 2 <= cluster < 0x0FFFFFF0:
            at = self.data + (cluster - 2) * self.cluster
            yield self.image[at:at + self.cluster]
            value, = struct.unpack_from("<I", self.image, self.fat + cluster * self.bits // 8)
            value >>= 4 * (self.bits == 12 and cluster % 2)
            cluster = value & ((1 << self.bits) - 1 & 0x0FFFFFFF)
            if cluster >= (1 << min(self.bits, 28)) - 16:
                return

    def list(self, cluster):
        raw = (b"".join(self.chain(cluster)) if cluster else
               self.image[self.roots[0]:self.data])
        long = ""
        for at in range(0, len(raw), 32):
            slot = raw[at:at + 32]
            if slot[0] == 0:
                return
            if slot[11] == 0x0F and slot[0] != 0xE5:
                part = (slot[1:11] + slot[14:26] + slot[28:32]).decode("utf-16-le")
                long = part.split("\0")[0] + ("" if slot[0] & 0x40 else long)
                continue
            if slot[0] not in (0xE5, 0x2E) and not slot[11] & 8:
                stem, ending = (part.rstrip().decode("latin-1") for part in (slot[:8], slot[8:11]))
                stem = stem.lower() if slot[12] & 8 else stem
                ending = ending.lower() if slot[12] & 16 else ending
                first = struct.unpack_from("<H", slot, 26)[0]
                first |= struct.unpack_from("<H", slot, 20)[0] << 16 if self.root else 0
                yield (long or stem + ("." + ending if ending else ""), slot[11] & 16, first,
                       struct.unpack_from("<I", slot, 28)[0])
            long = ""

    def read_out(self, to, wanted=None, cluster=None):
        for name, is_directory, first, size in self.list(
                self.root if cluster is None else cluster):
            if wanted is not None and name not in wanted:
                continue
            if is_directory:
                os.mkdir(f"{to}/{name}")
                self.read_out(f"{to}/{name}", None, first)
            else:
                with open(f"{to}/{name}", "wb") as file:
                    file.write(b"".join(self.chain(first))[:size] if size else b"")


def prove_sqlite(image, promised, work):
    Volume(image).read_out(work, ("data.db", "data.db-journal", "data.db-wal"))
    if not os.path.exists(f"{work}/data.db"):
        return "no database" if promised else None
    base = sqlite3.connect(f"{work}/data.db")
    try:
        verdict = base.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            return f"integrity_check: {verdict}"
        if promised == 0:
            return None
        rows = [row[0] for row in base.execute("SELECT id FROM t ORDER BY id")]
        if rows != list(range(1, len(rows) + 1)) or len(rows) < promised - 1:
            return f"{len(rows)} rows instead of {promised - 1} at least"
    except sqlite3.Error as error:
        return f"sqlite says: {error}"
    finally:
        base.close()
    return None


def prove_git(image, promised, work):
    Volume(image).read_out(work, ("repo",))
    if promised == 0:
        return None
    done = subprocess.run([*GIT, "-C", f"{work}/repo", "rev-list", "--count", "HEAD"],
                          capture_output=True, text=True)
    if done.returncode != 0 or int(done.stdout) < promised:
        return f"{promised} commits were promised: {done.stdout.strip()} {done.stderr.strip()}"
    done = subprocess.run([*GIT, "-C", f"{work}/repo", "fsck", "--connectivity-only"],
                          capture_output=True, text=True)
    return None if done.returncode == 0 else f"git fsck: {done.stderr.strip()}"


def prove(name, directory):
    function = {"sqlite": prove_sqlite, "git": prove_git}[name.split("-")[0]]
    bad = states = 0
    for image in sorted(os.listdir(directory)):
        if not image.endswith(".img"):
            continue
        promised = 0
        note = f"{directory}/{image[:-4]}.note"
        if os.path.exists(note):
            promised = int(open(note).read())
        with tempfile.TemporaryDirectory() as work:
            complaint = function(f"{directory}/{image}", promised, work)
        states += 1
        if complaint:
            bad += 1
            print(f"BAD {name} {image}: {complaint}")
    print(f"{name}: {states} recovered states opened by the program itself, {bad} bad")
    return 1 if bad or states == 0 else 0


if __name__ == "__main__":
    verb, rest = sys.argv[1], sys.argv[2:]
    if verb == "list":
        for name, (_, volumes, needs) in WORKLOADS.items():
            for volume in volumes:
                print(name, volume, *needs)
    else:
        sys.exit({"make": make, "run": run, "prove": prove}[verb](*rest))
