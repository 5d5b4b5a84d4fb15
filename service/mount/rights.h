/* SPDX-License-Identifier: MIT */
/*
 * Who the process is. It is installed setuid root, and works with the rights of its
 * caller, without any capability, except between fat_rights_raise() and
 * fat_rights_lower(): only the system calls that mount and unmount stand there, and none
 * that follow a path or write to what the caller gave us.
 */
#ifndef FAT_SERVICE_MOUNT_RIGHTS_H
#define FAT_SERVICE_MOUNT_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

struct fat_caller {
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* supplementary */
    size_t group_count;
    bool may_mount;     /* the process can raise its rights            */
    mode_t mask;        /* as the caller had it                        */
    char **environment; /* the caller's; the process itself has none   */
};

/*
 * Right at the start: make nothing that the caller has left behind matter (open
 * descriptors, environment, mask, ignored signals), and take on the caller's rights.
 *
 * 0 or a positive errno; then the process must end.
 */
int fat_rights_begin(struct fat_caller *ret);

/* Become root. False, with errno: nothing has changed. */
bool fat_rights_raise(void);

/* Become the caller again; ends the process should that be impossible. */
void fat_rights_lower(void);

/* Be root in every respect, before another program is run as root. */
bool fat_rights_raise_for_good(void);

/* Give up being root for ever; what the caller had is as he had it. */
bool fat_rights_drop_for_good(const struct fat_caller *caller);

void fat_caller_done(struct fat_caller *caller);

#endif
