/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* realpath, strerrordesc_np */
#include "options.h"

#include <errno.h>
#include <fuse_opt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define PROGRAM "fatward"

enum {
    DEFAULT_COMMIT_SECONDS = 5,
    LARGEST_COMMIT_SECONDS = 3600,
    DEFAULT_THREADS = 8,
    LARGEST_THREADS = 64,
    LARGEST_BACKGROUND = UINT16_MAX, /* as the kernel counts them */
    LARGEST_BYTES = 1 << 20,
    CAUTIOUS_MASK = 0022,
    LONGEST_SHOWN = 1024,
};

enum word {
    WORD_READ_ONLY,
    WORD_READ_WRITE,
    WORD_UID,
    WORD_GID,
    WORD_UMASK,
    WORD_FMASK,
    WORD_DMASK,
    WORD_SYNC,
    WORD_ASYNC,
    WORD_DIRSYNC,
    WORD_FLUSH,
    WORD_COMMIT,
    WORD_ERRORS,
    WORD_FSNAME,
    WORD_SUBTYPE,
    WORD_ALLOW_OTHER,
    WORD_NOALLOW_OTHER,
    WORD_BY_HAND,
    WORD_THREADS,
    WORD_MAX_READ,
    WORD_MAX_READAHEAD,
    WORD_MAX_BACKGROUND,
    WORD_SANDBOX,
    WORD_NOSANDBOX,
    WORD_SINGLE,
    WORD_FOREGROUND,
    WORD_DEBUG,
    WORD_HELP,
    WORD_VERSION,
};

/* FUSE_OPT_KEY() without its narrow -1 */
#define OURS(text, word)                      \
    {                                         \
        (text), (unsigned long)-1U, (int)word \
    }
#define PASSED(text)  OURS(text, FUSE_OPT_KEY_KEEP)
#define IGNORED(text) OURS(text, FUSE_OPT_KEY_DISCARD)

static const struct fuse_opt words[] = {
        OURS("ro", WORD_READ_ONLY),
        OURS("rw", WORD_READ_WRITE),
        OURS("uid=", WORD_UID),
        OURS("gid=", WORD_GID),
        OURS("umask=", WORD_UMASK),
        OURS("fmask=", WORD_FMASK),
        OURS("dmask=", WORD_DMASK),
        OURS("sync", WORD_SYNC),
        OURS("async", WORD_ASYNC),
        OURS("dirsync", WORD_DIRSYNC),
        OURS("flush", WORD_FLUSH),
        OURS("commit=", WORD_COMMIT),
        OURS("errors=", WORD_ERRORS),
        OURS("fsname=", WORD_FSNAME),
        OURS("subtype=", WORD_SUBTYPE),
        OURS("allow_other", WORD_ALLOW_OTHER),
        OURS("noallow_other", WORD_NOALLOW_OTHER),
        OURS("max_threads=", WORD_THREADS),
        OURS("max_read=", WORD_MAX_READ),
        OURS("max_readahead=", WORD_MAX_READAHEAD),
        OURS("max_background=", WORD_MAX_BACKGROUND),
        OURS("sandbox=", WORD_SANDBOX),
        OURS("nosandbox", WORD_NOSANDBOX),
        OURS("-s", WORD_SINGLE),
        OURS("-f", WORD_FOREGROUND),
        OURS("-d", WORD_DEBUG),
        OURS("debug", WORD_DEBUG),
        OURS("-h", WORD_HELP),
        OURS("--help", WORD_HELP),
        OURS("-V", WORD_VERSION),
        OURS("--version", WORD_VERSION),
        /* libfuse's own; it compares users, or asks a program of its own to unmount */
        OURS("allow_root", WORD_BY_HAND),
        OURS("auto_unmount", WORD_BY_HAND),
        /* libfuse's own, and the mount flags that it turns into bits */
        PASSED("suid"),
        PASSED("nosuid"),
        PASSED("dev"),
        PASSED("nodev"),
        PASSED("exec"),
        PASSED("noexec"),
        PASSED("atime"),
        PASSED("noatime"),
        PASSED("context="),
        PASSED("fscontext="),
        PASSED("defcontext="),
        PASSED("rootcontext="),
        /* always so, decided elsewhere, or without a meaning on FAT */
        IGNORED("default_permissions"),
        IGNORED("blkdev"),
        IGNORED("max_write="),
        IGNORED("clone_fd"),
        IGNORED("max_idle_threads="),
        IGNORED("defaults"),
        IGNORED("diratime"),
        IGNORED("nodiratime"),
        IGNORED("relatime"),
        IGNORED("norelatime"),
        IGNORED("strictatime"),
        IGNORED("nostrictatime"),
        IGNORED("lazytime"),
        IGNORED("nolazytime"),
        IGNORED("iversion"),
        IGNORED("noiversion"),
        IGNORED("silent"),
        IGNORED("loud"),
        IGNORED("mand"),
        IGNORED("nomand"),
        IGNORED("symfollow"),
        IGNORED("nosymfollow"),
        /* the kernel's vfat, where it asks for what is so here anyway */
        IGNORED("utf8"),
        IGNORED("utf8=1"),
        IGNORED("iocharset=utf8"),
        IGNORED("codepage=437"),
        IGNORED("shortname=mixed"),
        IGNORED("quiet"),
        /* mount(8)'s bookkeeping */
        IGNORED("auto"),
        IGNORED("noauto"),
        IGNORED("fail"),
        IGNORED("nofail"),
        IGNORED("user"),
        IGNORED("user="),
        IGNORED("nouser"),
        IGNORED("users"),
        IGNORED("nousers"),
        IGNORED("owner"),
        IGNORED("noowner"),
        IGNORED("group"),
        IGNORED("nogroup"),
        IGNORED("_netdev"),
        IGNORED("comment="),
        IGNORED("uhelper="),
        IGNORED("helper="),
        FUSE_OPT_END,
};

/* The argument is somebody's, and standard error may be the journal. */
static int refuse(const char *argument, const char *reason)
{
    char text[LONGEST_SHOWN];

    fat_log_escape(argument, text, sizeof(text));
    (void)fprintf(stderr, PROGRAM ": option '%s': %s\n", text, reason);
    return -1;
}

/* Digits of @base and nothing else, up to @largest. */
static bool parse_number(const char *text, int base, uint64_t largest, uint64_t *ret)
{
    const char *digits = base == 8 ? "01234567" : "0123456789";
    unsigned long long number;

    if (text[0] == '\0' || text[strspn(text, digits)] != '\0') {
        return false;
    }
    errno = 0;
    number = strtoull(text, NULL, base);
    if (errno || number > largest) {
        return false;
    }
    *ret = number;
    return true;
}

static int take_mask(struct fat_options *o, enum word word, const char *argument)
{
    uint64_t mask;

    if (!parse_number(strchr(argument, '=') + 1, 8, 0777, &mask)) {
        return refuse(argument, "not an octal mask from 0 to 777");
    }
    if (word != WORD_DMASK) {
        o->file_mask = (unsigned)mask;
    }
    if (word != WORD_FMASK) {
        o->directory_mask = (unsigned)mask;
    }
    return 0;
}

static int take_owner(struct fat_options *o, enum word word, const char *argument)
{
    uint64_t id;

    /* the largest number means "no change" to chown(2) and is nobody's */
    if (!parse_number(strchr(argument, '=') + 1, 10, UINT32_MAX - 1, &id)) {
        return refuse(argument, "not the number of a user or group");
    }
    if (word == WORD_UID) {
        o->uid = (uid_t)id;
    } else {
        o->gid = (gid_t)id;
    }
    return 0;
}

static int take_count(
        const char *argument, const char *reason, uint64_t largest, unsigned *ret)
{
    uint64_t count;

    if (!parse_number(strchr(argument, '=') + 1, 10, largest, &count) || count == 0) {
        return refuse(argument, reason);
    }
    *ret = (unsigned)count;
    return 0;
}

static int take_text(char **text, const char *argument)
{
    const char *equals = strchr(argument, '=');

    if (!equals || equals[1] == '\0') {
        return refuse(
                argument, "it is empty"); /* the kernel refuses it without a word */
    }
    free(*text);
    *text = strdup(equals + 1);
    return *text ? 0 : refuse(argument, "out of memory");
}

static int take_path(struct fat_options *o, const char *argument)
{
    char *copy;

    if (o->directory) {
        return refuse(argument, "one image and one directory are enough");
    }
    copy = strdup(argument);
    if (!copy) {
        return refuse(argument, "out of memory");
    }
    if (o->image) {
        o->directory = copy;
    } else {
        o->image = copy;
    }
    return 0;
}

/* As for the kernel's vfat, which can also panic. */
static int take_errors(struct fat_options *o, const char *argument)
{
    o->continues = strcmp(argument, "errors=continue") == 0;
    if (o->continues || strcmp(argument, "errors=remount-ro") == 0) {
        return 0;
    }
    return refuse(argument, "neither remount-ro nor continue");
}

/* In a service the jail is the unit's business, not that of whoever mounts. */
static int take_sandbox(struct fat_options *o, const char *argument)
{
    static const char *const modes[] = {
            [FAT_SANDBOX_ON] = "sandbox=on",
            [FAT_SANDBOX_OFF] = "sandbox=off",
            [FAT_SANDBOX_STRICT] = "sandbox=strict",
    };

    if (o->is_by_service) {
        return refuse(argument, "not with a service");
    }
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(argument, modes[i]) == 0) {
            o->sandbox = (enum fat_sandbox_mode)i;
            return 0;
        }
    }
    return refuse(argument, "neither on, off nor strict");
}

/* Lengthen a list of words, NULL if there is none yet. */
static bool append_word(char **list, const char *word)
{
    char *longer = NULL;

    if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? "," : "", word) < 0) {
        return false;
    }
    free(*list);
    *list = longer;
    return true;
}

/* For mount(8)'s table, which it keeps itself when it has called us. */
static int take_unlisted(struct fat_options *o, const char *argument)
{
    if (argument[0] == '\0') {
        return 0; /* as with mount(8): "-o ro," */
    }
    if (strncmp(argument, "x-", 2) == 0 || strncmp(argument, "X-", 2) == 0) {
        return append_word(&o->table_words, argument)
                       ? 0
                       : refuse(argument, "out of memory");
    }
    return refuse(argument, "unknown; '" PROGRAM " -h' lists the options");
}

static int take_value(struct fat_options *o, enum word word, const char *argument)
{
    static const char not_bytes[] = "not a number of bytes from 1 to 1048576";

    switch ((int)word) {
    case WORD_UID:
    case WORD_GID:
        return take_owner(o, word, argument);
    case WORD_UMASK:
    case WORD_FMASK:
    case WORD_DMASK:
        return take_mask(o, word, argument);
    case WORD_COMMIT:
        return take_count(argument, "not a number of seconds from 1 to 3600",
                LARGEST_COMMIT_SECONDS, &o->commit_seconds);
    case WORD_THREADS:
        return take_count(argument, "not a number of threads from 1 to 64",
                LARGEST_THREADS, &o->threads);
    case WORD_MAX_READ: /* libfuse has to see it too */
        return take_count(argument, not_bytes, LARGEST_BYTES, &o->max_read) ? -1 : 1;
    case WORD_MAX_READAHEAD:
        return take_count(argument, not_bytes, LARGEST_BYTES, &o->max_readahead);
    case WORD_MAX_BACKGROUND:
        return take_count(argument, "not a number of requests from 1 to 65535",
                LARGEST_BACKGROUND, &o->max_background);
    case WORD_ERRORS:
        return take_errors(o, argument);
    case WORD_SANDBOX:
        return take_sandbox(o, argument);
    case WORD_FSNAME:
        return take_text(&o->fsname, argument);
    default:
        return take_text(&o->subtype, argument);
    }
}

/* The mount flags that are ours as well as the kernel's go on to libfuse too. */
static int take_flag(struct fat_options *o, enum word word)
{
    switch ((int)word) {
    case WORD_READ_ONLY:
    case WORD_READ_WRITE:
        o->read_only = word == WORD_READ_ONLY;
        return 0;
    case WORD_SYNC:
    case WORD_ASYNC:
        o->sync = word == WORD_SYNC;
        return 1;
    case WORD_DIRSYNC:
        o->dirsync = true;
        return 1;
    case WORD_FLUSH:
        o->flush = true;
        return 0;
    case WORD_ALLOW_OTHER:
    case WORD_NOALLOW_OTHER:
        o->allow_other = word == WORD_ALLOW_OTHER;
        o->noallow_other = word == WORD_NOALLOW_OTHER;
        return 0;
    case WORD_NOSANDBOX:
        return take_sandbox(o, "sandbox=off");
    case WORD_SINGLE:
        o->threads = 1;
        return 0;
    case WORD_FOREGROUND:
        o->foreground = true;
        return 0;
    case WORD_DEBUG:
        o->debug = true;
        o->foreground = true;
        return 0;
    case WORD_HELP:
        o->want_help = true;
        return 0;
    default:
        o->want_version = true;
        return 0;
    }
}

/* libfuse's callback: -1 refuses, 0 drops, 1 leaves the word for libfuse. */
static int take(void *data, const char *argument, int key, struct fuse_args *outargs)
{
    struct fat_options *o = data;

    (void)outargs;
    if (key == FUSE_OPT_KEY_NONOPT) {
        return take_path(o, argument);
    }
    if (key == FUSE_OPT_KEY_OPT) {
        return take_unlisted(o, argument);
    }
    if (key == (int)WORD_BY_HAND) {
        return o->is_by_service ? refuse(argument, "not with a service") : 1;
    }
    if (strchr(argument, '=')) {
        return take_value(o, (enum word)key, argument);
    }
    return take_flag(o, (enum word)key);
}

static unsigned current_umask(void)
{
    const mode_t mask = umask(0);

    umask(mask);
    return (unsigned)mask & 0777u;
}

void fat_options_init(struct fat_options *ret, enum fat_mounter mounter)
{
    const bool known = mounter == FAT_MOUNTER_IS_CALLER;
    const unsigned mask = known ? current_umask() : CAUTIOUS_MASK;

    *ret = (struct fat_options){
            .forwarded = FUSE_ARGS_INIT(0, NULL),
            .uid = known ? getuid() : 0,
            .gid = known ? getgid() : 0,
            .file_mask = mask,
            .directory_mask = mask,
            .commit_seconds = DEFAULT_COMMIT_SECONDS,
            .threads = DEFAULT_THREADS,
            .is_by_service = !known,
    };
}

bool fat_options_parse(struct fat_options *options, int argc, char **argv)
{
    options->forwarded = (struct fuse_args)FUSE_ARGS_INIT(argc, argv);
    if (fuse_opt_parse(&options->forwarded, options, words, take) != 0) {
        return false;
    }
    if (options->want_help || options->want_version) {
        return true;
    }
    if (!options->directory) {
        (void)fprintf(
                stderr, PROGRAM ": usage: " PROGRAM " IMAGE DIRECTORY [-o OPTIONS]\n");
        return false;
    }
    return true;
}

static bool complain(const char *path, int error)
{
    char text[PATH_MAX];

    fat_log_tame(path, text, sizeof(text));
    (void)fprintf(stderr, PROGRAM ": %s: %s\n", text, strerrordesc_np(error));
    return false;
}

static bool make_absolute(char **path)
{
    char *absolute = realpath(*path, NULL);

    if (!absolute) {
        return complain(*path, errno);
    }
    free(*path);
    *path = absolute;
    return true;
}

/* libfuse would put a directory tree over a file. */
static bool is_directory(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        return true;
    }
    return complain(path, ENOTDIR);
}

bool fat_options_locate(struct fat_options *options)
{
    return make_absolute(&options->image) && make_absolute(&options->directory) &&
           is_directory(options->directory);
}

/* Add one "-o" word; a comma or backslash in @value must not end it. */
static bool forward(struct fuse_args *args, const char *word, const char *value)
{
    char *whole = NULL;
    char *escaped = NULL;
    bool ok = false;
    const size_t length = strlen(word) + strlen(value) + 1;

    whole = malloc(length);
    if (whole) {
        (void)snprintf(whole, length, "%s%s", word, value);
        ok = fuse_opt_add_opt_escaped(&escaped, whole) == 0 &&
             fuse_opt_add_arg(args, "-o") == 0 && fuse_opt_add_arg(args, escaped) == 0;
    }
    free(escaped);
    free(whole);
    return ok;
}

bool fat_options_forward(
        struct fat_options *options, bool read_only, unsigned block_bytes)
{
    struct fuse_args *args = &options->forwarded;
    bool ok = forward(args, "default_permissions", "") &&
              forward(args, "fsname=", fat_options_source(options, block_bytes != 0)) &&
              forward(args, "subtype=", options->subtype ? options->subtype : PROGRAM);

    /* root's mount is for everybody, as people expect of vfat; modes still hold */
    if (options->allow_other || (options->mounter_is_root && !options->noallow_other)) {
        ok = ok && forward(args, "allow_other", "");
    }
    if (read_only) {
        ok = ok && forward(args, "ro", "");
    }
    if (options->debug) {
        ok = ok && fuse_opt_add_arg(args, "-d") == 0;
    }
    if (block_bytes) {
        char digits[16];

        (void)snprintf(digits, sizeof(digits), "%u", block_bytes);
        ok = ok && forward(args, "blkdev", "") && forward(args, "blksize=", digits);
    }
    return ok;
}

const char *fat_options_source(const struct fat_options *options, bool is_fuseblk)
{
    return options->fsname && !is_fuseblk ? options->fsname : options->image;
}

char *fat_options_words(const struct fat_options *options)
{
    const struct fuse_args *args = &options->forwarded;
    char *list = NULL;
    bool ok = true;

    for (int i = 1; ok && i + 1 < args->argc; i++) {
        if (strcmp(args->argv[i], "-o") == 0) {
            i++;
            ok = append_word(&list, args->argv[i]);
        }
    }
    if (ok && options->table_words) {
        ok = append_word(&list, options->table_words);
    }
    if (!ok) {
        free(list);
        list = NULL;
    }
    return list;
}

void fat_options_done(struct fat_options *options)
{
    fuse_opt_free_args(&options->forwarded);
    free(options->image);
    free(options->directory);
    free(options->fsname);
    free(options->subtype);
    free(options->table_words);
}
