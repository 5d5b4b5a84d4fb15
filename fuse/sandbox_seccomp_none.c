/* SPDX-License-Identifier: MIT */
#include "sandbox_seccomp.h"

#include <errno.h>

bool fat_seccomp_is_built_in(void)
{
    return false;
}

bool fat_seccomp_is_there(void)
{
    return false;
}

int fat_seccomp_enter(bool kills)
{
    (void)kills;
    return ENOSYS;
}
