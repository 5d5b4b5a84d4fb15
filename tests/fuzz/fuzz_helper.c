/* SPDX-License-Identifier: MIT */
/*
 * The mount helper's side of whole conversations with whatever server: it opens and
 * mounts only what was asked for on its command line, and a mount that the server
 * doesn't say goodbye to is taken off again. What touches the system is replaced here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "script.h"
#include "service/mount/conversation.h"
#include "service/mount/mounting.h"
#include "service/mount/open_file.h"
#include "service/mount/say.h"
#include "service/mount/table.h"

static const char *const words[] = {
        "vfat", "/dev/sda1", "/mnt", "-o", "ro,journal=/dev/sdb", "--quiet"};

/* What the system was asked for. */
static struct {
    bool fails; /* whatever is asked */
    unsigned mounted, undone, noted;
} world;

int fat_open_file(const struct fat_wire_message *message, struct fat_opened *ret)
{
    PROMISE(strcmp(message->text, words[1]) == 0 ||
            strcmp(message->text, "/dev/sdb") == 0);
    PROMISE(!(message->open_flags & (O_CREAT | O_TRUNC | O_APPEND)));
    *ret = (struct fat_opened){.fd = -1};
    if (world.fails) {
        return EBUSY;
    }
    ret->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return ret->fd < 0 ? errno : 0;
}

const char *fat_mountpoint_check(const struct fat_mountpoint *mountpoint, uid_t uid)
{
    (void)mountpoint;
    (void)uid;
    return NULL;
}

int fat_mounting_make(const struct fat_mounting *mounting, int *ret_fd)
{
    PROMISE(mounting->source && mounting->type == words[0]);
    PROMISE(!mounting->fuseblk || mounting->uid == 0);
    if (world.fails) {
        return EINVAL;
    }
    world.mounted++;
    *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? errno : 0;
}

int fat_mounting_undo(int fd)
{
    PROMISE(fcntl(fd, F_GETFD) >= 0);
    world.undone++;
    return 0;
}

void fat_table_note(const struct fat_table_entry *entry)
{
    PROMISE(entry->words && !strstr(entry->words, "x-mount."));
    world.noted++;
}

void fat_say(const char *format, ...)
{
    (void)format;
}

void fat_say_escape(const char *text, char *ret, size_t size)
{
    (void)text;
    if (size > 0) {
        ret[0] = '\0';
    }
}

const char *fat_error_text(int error)
{
    PROMISE(error > 0);
    return "";
}

static void check_ending(const struct fat_conversation *c, enum fat_ending ending)
{
    PROMISE(world.mounted <= 1 && world.undone <= world.mounted);
    PROMISE(c->plan.mounted == (world.mounted == 1));
    PROMISE((ending == FAT_ENDING_MOUNTED) == (world.mounted > world.undone));
    PROMISE(world.noted <= (ending == FAT_ENDING_MOUNTED ? 1U : 0U));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const uint8_t how = length > 0 ? bytes[0] : 0;
    const struct fat_caller caller = {.uid = how & 1 ? 0 : 1000, .gid = 1000};
    const struct fat_mountpoint mountpoint = {
            .fd = -1, .type = how & 2 ? S_IFREG : S_IFDIR, .path = NULL};
    const int open_before = script_count_open();
    struct fat_conversation c = {.socket = -1,
            .limit_ms = 1000,
            .fuse_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
            .caller = &caller,
            .mountpoint = &mountpoint,
            .mount_max = -1,
            .verbose = (how & 4) != 0};

    memset(&world, 0, sizeof(world));
    world.fails = (how & 8) != 0;
    c.plan.bounds = (struct fat_plan_bounds){.words = words,
            .word_count = sizeof(words) / sizeof(words[0]),
            .directory = words[2],
            .mountpoint_type = mountpoint.type,
            .root = caller.uid == 0,
            .may_open_to_others = (how & 16) != 0};
    script_begin(length > 0 ? bytes + 1 : bytes, length > 0 ? length - 1 : 0);
    check_ending(&c, fat_conversation_run(&c));
    fat_plan_done(&c.plan);
    (void)close(c.fuse_fd); /* was only handed on */
    PROMISE(script_count_open() == open_before);
    return 0;
}
