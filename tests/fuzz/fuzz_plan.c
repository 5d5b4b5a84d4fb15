/* SPDX-License-Identifier: MIT */
/*
 * The helper's side of a whole conversation: whatever a server sends, it gets no more
 * than it may, and what was refused has changed nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "service/mount/plan.h"
#include "service/wire.h"

enum { PACKETS_MAX = 32 };

static const char *const words[] = {
        "vfat", "/dev/sda1", "/mnt", "-o", "ro,journal=/dev/sdb,uid=5", "--quiet"};
enum { WORDS = sizeof(words) / sizeof(words[0]) };

static bool may_have(const struct fat_plan *plan, const char *option)
{
    const struct fat_plan_bounds *bounds = &plan->bounds;

    if (strcmp(option, "allow_other") == 0) {
        return bounds->root || bounds->may_open_to_others;
    }
    if (strstr(option, "context")) {
        return bounds->root;
    }
    if (strcmp(option, "blksize") == 0) {
        return plan->fuseblk;
    }
    return strcmp(option, "default_permissions") == 0 ||
           strcmp(option, "max_read") == 0;
}

static void check_kernel(const struct fat_plan *plan)
{
    char *joined = fat_kernel_options_join(&plan->kernel);

    PROMISE(joined && (joined[0] == '\0' || joined[0] == ','));
    for (unsigned i = 0; i < plan->kernel.count; i++) {
        PROMISE(may_have(plan, plan->kernel.options[i].name));
    }
    free(joined);
}

static void check_plan(const struct fat_plan *plan)
{
    const uint32_t never = MS_BIND | MS_MOVE | MS_REMOUNT | MS_REC | MS_SHARED |
                           MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

    PROMISE(!plan->fuseblk || plan->bounds.root);
    PROMISE(!(plan->flags & never));
    if (plan->source && (!plan->bounds.root || plan->fuseblk)) {
        PROMISE(strcmp(plan->source, "vfat") == 0 ||
                strcmp(plan->source, "/dev/sda1") == 0 ||
                strcmp(plan->source, "/mnt") == 0 || strcmp(plan->source, "-o") == 0 ||
                strcmp(plan->source, words[4]) == 0 ||
                strcmp(plan->source, "--quiet") == 0 ||
                strcmp(plan->source, "/dev/sdb") == 0 ||
                strcmp(plan->source, "5") == 0);
    }
    if (plan->table) {
        for (const char *at = plan->table; at; at = strchr(at, ',')) {
            at += *at == ',';
            PROMISE(plan->table[0] == '\0' || strncmp(at, "x-", 2) == 0);
            PROMISE(strncmp(at, "x-mount.", 8) != 0);
        }
    }
    if (plan->has_kernel) {
        check_kernel(plan);
    }
}

static void check_open(const struct fat_plan *plan, const struct fat_wire_message *m)
{
    if (fat_plan_allows_open(plan, m) == 0) {
        const uint32_t never = O_CREAT | O_TRUNC | O_APPEND | O_DIRECTORY;

        PROMISE(!plan->placed && !(m->open_flags & never));
        PROMISE(strcmp(m->text, "vfat") != 0);
        PROMISE(strlen(m->text) < FAT_WIRE_LARGEST_PATH);
    }
}

static void take(struct fat_plan *plan, const struct fat_wire_message *message)
{
    const struct fat_plan before = *plan;
    int error;

    if (message->kind == FAT_WIRE_OPEN || message->kind == FAT_WIRE_OPEN_DEVICE) {
        check_open(plan, message);
        return;
    }
    error = fat_plan_take(plan, message);
    PROMISE(error == 0 || error == EINVAL || error == EPERM || error == ENOTDIR ||
            error == EISDIR || error == EBUSY);
    if (error) {
        PROMISE(memcmp(&before, plan, sizeof(before)) == 0);
    } else if (message->kind == FAT_WIRE_MOUNT) {
        PROMISE(plan->source && plan->placed);
        PROMISE((plan->flags & plan->bounds.forced_flags) == plan->bounds.forced_flags);
        plan->mounted = true;
    }
    check_plan(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fat_plan plan;
    size_t at = 1;

    if (length == 0) {
        return 0;
    }
    memset(&plan, 0, sizeof(plan));
    plan.bounds.words = words;
    plan.bounds.word_count = WORDS;
    plan.bounds.directory = words[2];
    plan.bounds.mountpoint_type = bytes[0] & 1 ? S_IFREG : S_IFDIR;
    plan.bounds.root = (bytes[0] & 2) != 0;
    plan.bounds.may_open_to_others = (bytes[0] & 4) != 0;
    plan.bounds.forced_flags = MS_NOSUID | MS_NODEV | (bytes[0] & 8 ? MS_RDONLY : 0U);
    for (int i = 0; i < PACKETS_MAX && at < length; i++) {
        const size_t left = length - at - 1;
        const size_t count = bytes[at] < left ? bytes[at] : left;
        uint8_t *const packet = malloc(count + 1);
        struct fat_wire_message message;

        PROMISE(packet);
        memcpy(packet, bytes + at + 1, count);
        if (fat_wire_decode(packet, count, &message) == FAT_WIRE_SOUND) {
            take(&plan, &message);
        }
        free(packet);
        at += 1 + count;
    }
    fat_plan_done(&plan);
    return 0;
}
