/* SPDX-License-Identifier: MIT */
/*
 * fatward-mount: what mount(8) runs for the types that a service serves. It connects
 * to the service, opens for it what the command line names, and makes the mount.
 *
 * It is setuid root. Its caller may be hostile, and so may a server that read a
 * hostile medium: each step is done with the caller's rights, save the mount itself.
 */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "connect.h"
#include "conversation.h"
#include "fallback.h"
#include "fuse_conf.h"
#include "open_file.h"
#include "options.h"
#include "say.h"
#include "tools/text/streams.h"

/* mount(8)'s; 2 tells a wrapper that no service is there and means nothing else */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_NO_SERVICE = 2, EXIT_NOT_MOUNTED = 32 };

enum { WORDS_MOST = 5 };

/* What is known before the service is asked. */
struct job {
    struct fat_caller caller;
    struct fat_arguments arguments;
    struct fat_fuse_conf conf;
    struct fat_options options;
    struct fat_mountpoint mountpoint;
    char *source;                  /* absolute                        */
    const char *words[WORDS_MOST]; /* the command line for the server */
    unsigned word_count;
};

static const char usage[] =
        "usage: fatward-mount -t TYPE SOURCE DIRECTORY [-fnsv] [-o OPTION[,OPTION...]]\n"
        "                     [--timeout=SECONDS]\n"
        "       mount.fuse.TYPE SOURCE DIRECTORY [-fnsv] [-o OPTION[,OPTION...]]\n"
        "       fatward-mount -t TYPE --check\n"
        "       fatward-mount --help | --version\n"
        "\n"
        "Have the service for TYPE serve SOURCE, and mount it on DIRECTORY.\n";

static bool asks_others_in(const struct job *job)
{
    return job->caller.uid == 0 || job->conf.user_allow_other;
}

/* A file that can't be read may forbid what is asked for. */
static bool read_conf(struct job *job)
{
    FILE *file = fopen("/etc/fuse.conf", "re");
    const int error = file ? 0 : errno;

    if (error && error != ENOENT && job->caller.uid != 0) {
        fat_say("/etc/fuse.conf: %s", fat_error_text(error));
        return false;
    }
    fat_fuse_conf_read(file, &job->conf);
    if (file) {
        (void)fclose(file);
    }
    return true;
}

static bool read_options(struct job *job)
{
    const struct fat_asker asker = {.uid = job->caller.uid,
            .gid = job->caller.gid,
            .groups = job->caller.groups,
            .group_count = job->caller.group_count,
            .may_open_to_others = asks_others_in(job),
            .sloppy = job->arguments.sloppy};
    struct fat_refusal refusal;

    if (!fat_options_read(job->arguments.options, &asker, &job->options, &refusal)) {
        fat_say("option %s %s", refusal.word, refusal.reason);
        return false;
    }
    if (job->options.weakened) {
        fat_say("suid and dev are only for root: mounting nosuid,nodev");
    }
    return true;
}

/*
 * The source is shown to others and looked for from other directories, maybe when the
 * symbolic link that led there has gone. It need not be a file that exists.
 */
static char *make_absolute(const char *path)
{
    char *absolute = realpath(path, NULL);
    char *here;

    if (absolute) {
        return absolute;
    }
    here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    /* getcwd(3) may say "(unreachable)/..." */
    if (!here || here[0] != '/') {
        free(here);
        return strdup(path);
    }
    if (asprintf(&absolute, "%s/%s", here[1] ? here : "", path) < 0) {
        absolute = NULL;
    }
    free(here);
    return absolute;
}

static bool make_words(struct job *job)
{
    job->source = make_absolute(job->arguments.source);
    if (!job->source) {
        fat_say("%s", fat_error_text(ENOMEM));
        return false;
    }
    job->words[0] = job->arguments.type;
    job->words[1] = job->source;
    job->words[2] = job->arguments.directory;
    job->word_count = 3;
    if (job->options.list[0]) {
        job->words[3] = "-o";
        job->words[4] = job->options.list;
        job->word_count = WORDS_MOST;
    }
    return true;
}

/* The service knows its limits of a text; here it is one of the kernel's messages. */
static enum fat_ending talk(struct job *job, int socket, int fuse_fd)
{
    struct fat_conversation conversation = {.socket = socket,
            .limit_ms = job->arguments.timeout_seconds * 1000,
            .fuse_fd = fuse_fd,
            .caller = &job->caller,
            .mountpoint = &job->mountpoint,
            .mount_max = job->conf.mount_max,
            .no_table = job->arguments.no_table,
            .verbose = job->arguments.verbose,
            .plan.bounds = {.words = job->words,
                    .word_count = job->word_count,
                    .directory = job->arguments.directory,
                    .mountpoint_type = job->mountpoint.type,
                    .root = job->caller.uid == 0,
                    .may_open_to_others = asks_others_in(job) && !job->options.closed,
                    .forced_flags = job->options.forced_flags}};
    const enum fat_ending ending = fat_conversation_run(&conversation);

    fat_plan_done(&conversation.plan);
    return ending;
}

static int talk_to_service(struct job *job, int socket)
{
    int fuse_fd;
    const int error = fat_open_fuse(&fuse_fd);
    enum fat_ending ending;

    if (error) {
        fat_say("/dev/fuse: %s", fat_error_text(error));
        return EXIT_FAILED;
    }
    ending = talk(job, socket, fuse_fd);
    close(fuse_fd);
    switch (ending) {
    case FAT_ENDING_MOUNTED:
        return EXIT_DONE;
    case FAT_ENDING_REFUSED:
        return EXIT_NOT_MOUNTED;
    case FAT_ENDING_FAILED:
        break;
    }
    return EXIT_FAILED;
}

static int do_without_service(struct job *job)
{
    const char *type = job->arguments.type;

    if (fat_fallback_is_for(type) && !job->options.service_only) {
        fat_fallback_run(&job->arguments, &job->caller);
        return EXIT_FAILED;
    }
    fat_say("there is no service for %s: nobody listens at " FAT_SERVICE_SOCKET_DIR
            "/%s",
            type, type);
    return EXIT_NO_SERVICE;
}

static int ask_service(struct job *job)
{
    const char *type = job->arguments.type;
    int socket;
    const int error = fat_connect(type, job->arguments.timeout_seconds * 1000, &socket);
    int status;

    if (error == ENOENT || error == ECONNREFUSED) {
        return do_without_service(job);
    }
    if (error) {
        fat_say(FAT_SERVICE_SOCKET_DIR "/%s: %s", type, fat_error_text(error));
        return EXIT_FAILED;
    }
    if (job->arguments.verbose) {
        fat_say("connected to " FAT_SERVICE_SOCKET_DIR "/%s", type);
    }
    status = talk_to_service(job, socket);
    close(socket);
    return status;
}

static int pretend(const struct job *job)
{
    if (job->arguments.verbose) {
        fat_say("would ask " FAT_SERVICE_SOCKET_DIR "/%s to serve %s for %s, with %s",
                job->arguments.type, job->source, job->mountpoint.path,
                job->options.list[0] ? job->options.list : "no options");
    }
    return EXIT_DONE;
}

static int mount_it(struct job *job)
{
    const char *directory = job->arguments.directory;
    const char *wrong;

    if (!read_conf(job) || !read_options(job) || !make_words(job)) {
        return EXIT_FAILED;
    }
    wrong = fat_mountpoint_pin(directory, job->caller.uid, &job->mountpoint);
    if (wrong) {
        fat_say("%s: %s", directory, wrong);
        return EXIT_NOT_MOUNTED;
    }
    if (job->arguments.fake) {
        return pretend(job);
    }
    if (!job->caller.may_mount) {
        fat_say("not installed setuid root: only root can mount");
        return EXIT_FAILED;
    }
    return ask_service(job);
}

static int do_task(struct job *job)
{
    switch (job->arguments.task) {
    case FAT_TASK_HELP:
        (void)fputs(usage, stdout);
        return EXIT_DONE;
    case FAT_TASK_VERSION:
        (void)puts("fatward-mount " FAT_VERSION);
        return EXIT_DONE;
    case FAT_TASK_CHECK:
        return fat_connect_may_work(job->arguments.type) ? EXIT_DONE : EXIT_FAILED;
    case FAT_TASK_MOUNT:
        break;
    }
    return mount_it(job);
}

int main(int argc, char **argv)
{
    struct job job = {.mountpoint.fd = -1};
    const char *wrong;
    int error, status = EXIT_FAILED;

    if (!streams_begin()) {
        return EXIT_FAILED;
    }
    error = fat_rights_begin(&job.caller);
    if (error) {
        fat_say("%s", fat_error_text(error));
        return EXIT_FAILED;
    }
    wrong = fat_arguments_parse(argc, argv, &job.arguments);
    if (wrong) {
        fat_say("%s", wrong);
        (void)fputs(usage, stderr);
    } else {
        status = do_task(&job);
    }
    fat_mountpoint_done(&job.mountpoint);
    fat_options_done(&job.options);
    free(job.source);
    fat_arguments_done(&job.arguments);
    fat_caller_done(&job.caller);
    return status;
}
