/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>

void fat_options_usage(const char *program)
{
    (void)printf(
            "usage: %s IMAGE DIRECTORY [-o OPTION[,OPTION...]] [-dfs]\n"
            "\n"
            "Mounts the FAT volume in IMAGE (a file or a block device) on DIRECTORY.\n"
            "\n"
            "    -f               stay in the foreground\n"
            "    -d               print every request (implies -f)\n"
            "    -s               serve one request at a time\n"
            "    -h, -V           this text; the versions\n"
            "\n"
            "    ro, rw           read only, or for writing (default)\n"
            "    uid=N, gid=N     owner of everything (default: who mounts)\n"
            "    umask=OCTAL      permissions taken away (default: the umask)\n"
            "    fmask=, dmask=   the same for files or directories only\n"
            "    sync, dirsync    commit every change, or every change of names\n"
            "    flush            commit when a written file is closed\n"
            "    commit=SECONDS   commit at the latest after that time (default 5)\n"
            "    errors=remount-ro|continue\n"
            "                     what follows when damage is met (default: remount-ro)\n"
            "    noatime          accepted; reading never changes a file's times\n"
            "    fsname=, subtype=\n"
            "                     what mount(8) shows (default: IMAGE, fatward)\n"
            "    allow_other, noallow_other\n"
            "                     whether others may use the mount (default: root's)\n"
            "    max_threads=N    requests served at once (default 8)\n"
            "    sandbox=on|off|strict, nosandbox\n"
            "                     whether to serve from a jail (default: on); strict:\n"
            "                     not at all if a part of the jail can't be had\n"
            "\n"
            "and what mount(8) hands to every file system. See fatward(8).\n",
            program);
}
