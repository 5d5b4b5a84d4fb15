/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

const char *fat_sandbox_built_in(void)
{
    return "none";
}

void fat_sandbox_init(struct fat_sandbox *ret, enum fat_sandbox_mode mode)
{
    *ret = (struct fat_sandbox){.mode = mode};
}

bool fat_sandbox_suffices(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    if (sandbox->mode == FAT_SANDBOX_STRICT) {
        fat_log_say(log, true, "option 'sandbox=strict': none in this build");
        return false;
    }
    return true;
}

bool fat_sandbox_enter(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    (void)sandbox;
    (void)log;
    return true;
}

bool fat_sandbox_close(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    fat_log_note(log, sandbox->mode == FAT_SANDBOX_OFF
                              ? "sandbox: off"
                              : "sandbox: off, none in this build");
    return true;
}
