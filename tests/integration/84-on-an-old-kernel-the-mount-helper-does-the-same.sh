#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fatward-mount where fsopen(2) does not exist: the mount is made by mount(2), and
# taken off again if the server fails.
. "$(dirname "$0")/mount-helper.sh"

# a filter that answers ENOSYS to fsopen, whose number is 430 on every machine
cat >"$work/old" <<'END'
import ctypes, os, struct, sys
code = b"".join(struct.pack("=HBBI", *line) for line in [
    (0x20, 0, 0, 0), (0x15, 0, 1, 430), (6, 0, 0, 0x50026), (6, 0, 0, 0x7FFF0000)])
code = ctypes.create_string_buffer(code)
program = struct.pack("HL", 4, ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(22, 2, program, 0, 0) != 0:
    print("SKIP: no filter of system calls can be had")
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
END
old()
{
    python3 "$work/old" "$@"
}
old true || exit $?

plays greet type=0 "name=$work/img" "mntp=$m" opts=default_permissions,max_read=65536 \
    doit=0x40f bye=0
run 0 old fatward-mount -t vfat "$work/img" "$m"
ended
shows " ro,nosuid,nodev,noexec,noatime .*- fuse.vfat $work/img ro,user_id=0,group_id=0,default_permissions,max_read=65536"
gone

# taken off again
for ending in bye=1 close; do
    plays greet "ordinary=$m" "$ending"
    run 1 old fatward-mount -t vfat "$work/img" "$m"
    says "$m is unmounted again"
    nothing_mounted
    ended
done

# upon another mount: that one stays
mount -t tmpfs tmpfs "$m"
mounts_now()
{
    wc -l </proc/self/mountinfo
}
before=$(mounts_now)
plays greet "ordinary=$m" bye=1
run 1 old fatward-mount -t vfat "$work/img" "$m"
ended
is "$before" mounts_now
umount "$m"

# what the kernel refuses is said, and leaves nothing
plays greet type=0 name=vfat "mntp=$m" opts=max_read=9999999999 doit=6 bye=1
run 32 old fatward-mount -t vfat "$work/img" "$m"
says "DOIT of $m: Invalid argument"
ended
nothing_mounted

# which mount on a file was ours could not be told
echo >"$work/f"
plays greet type=0 name=vfat "mntp=$work/f@0" doit=6 bye=1
run 32 old fatward-mount -t vfat "$work/img" "$work/f"
says "DOIT of $work/f: Operation not supported"
ended
