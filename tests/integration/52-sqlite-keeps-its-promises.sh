#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A database with a rollback journal and one with a write-ahead log (which wants shared
# mappings and byte locks), each used by two at once, rolled back and checked.
. "$(dirname "$0")/lib.sh"
needs fatward umount.fuse.fatward mkfs.fat fsck.fat sqlite3

make_image vol.img 16 65536
serve "$work/vol.img" "$work/m"
cd "$work/m" || exit 99

for mode in delete truncate persist wal; do
    is "$mode" sqlite3 "$mode.db" "PRAGMA journal_mode=$mode"
    run 0 sqlite3 "$mode.db" "
        CREATE TABLE t(id INTEGER PRIMARY KEY, text);
        CREATE INDEX i ON t(text);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000)
        INSERT INTO t SELECT i, hex(i*7919) FROM n;
        BEGIN; DELETE FROM t WHERE id > 100; ROLLBACK;
        UPDATE t SET text = text || 'x' WHERE id % 3 = 0;
        DELETE FROM t WHERE id % 7 = 0;"
    # two writers, each of fifty transactions
    writers=
    for writer in 1 2; do
        i=0
        while [ $i -lt 50 ]; do
            echo ".timeout 20000"
            echo "INSERT INTO t(text) VALUES('writer $writer $i');"
            i=$((i + 1))
        done | sqlite3 -bail "$mode.db" >"$work/writer$writer" 2>&1 &
        writers="$writers $!"
    done
    for writer in $writers; do
        wait "$writer" || { cat "$work"/writer? && fail "$mode: a writer was turned away"; }
    done
    is 100 sqlite3 "$mode.db" "SELECT count(*) FROM t WHERE text LIKE 'writer%'"
    run 0 sqlite3 "$mode.db" "VACUUM"
    is ok sqlite3 "$mode.db" "PRAGMA integrity_check"
    sqlite3 "$mode.db" .dump >"$work/$mode.dump"
done

# a reader keeps its view while another writes
is 20 sqlite3 wal.db "
    CREATE TABLE s(a); INSERT INTO s SELECT id FROM t LIMIT 20; SELECT count(*) FROM s"

cd "$work" || exit 99
sqlite3 "$work/m/wal.db" .dump >"$work/wal.dump"
release "$work/m"
sound "$work/vol.img"
serve "$work/vol.img" "$work/m"
for mode in delete truncate persist wal; do
    is ok sqlite3 "$work/m/$mode.db" "PRAGMA integrity_check"
    sqlite3 "$work/m/$mode.db" .dump >"$work/again"
    holds "$mode is the same" cmp "$work/$mode.dump" "$work/again"
done
release "$work/m"
sound "$work/vol.img"
