/* SPDX-License-Identifier: MIT */
/*
 * The server's side of whole conversations with whatever mount helper: each call comes
 * to an end with an errno, and no descriptor is left over.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "script.h"
#include "service/activation.h"
#include "service/server.h"

enum { ARGUMENTS_MAX = 300 };

/* libfuse's, so far as the server's side of it goes. */
struct fuse_args {
    int argc;
    char **argv;
    int allocated;
};
struct fuse_session {
    bool refuses;
};

int fuse_opt_add_arg(struct fuse_args *args, const char *argument);
void fuse_opt_free_args(struct fuse_args *args);
int fuse_session_mount(struct fuse_session *session, const char *mountpoint);

int fuse_opt_add_arg(struct fuse_args *args, const char *argument)
{
    char **longer;

    PROMISE(!args->argv || args->allocated);
    longer = realloc(args->argv, sizeof(char *) * (size_t)(args->argc + 2));
    PROMISE(longer && args->argc < 100000);
    args->argv = longer;
    args->argv[args->argc++] = strdup(argument);
    args->argv[args->argc] = NULL;
    args->allocated = 1;
    return 0;
}

void fuse_opt_free_args(struct fuse_args *args)
{
    for (int i = 0; args->allocated && i < args->argc; i++) {
        free(args->argv[i]);
    }
    if (args->allocated) {
        free(args->argv);
    }
    *args = (struct fuse_args){.argc = 0};
}

/* It takes the descriptor over. */
int fuse_session_mount(struct fuse_session *session, const char *mountpoint)
{
    const char *const number = strrchr(mountpoint, '/');
    const int fd = (int)strtol(number + 1, NULL, 10);

    PROMISE(strncmp(mountpoint, "/dev/fd/", 8) == 0 && fcntl(fd, F_GETFD) >= 0);
    if (session->refuses) {
        return -1;
    }
    (void)close(fd); /* was never used */
    return 0;
}

int fat_activation_socket(int *ret)
{
    *ret = open("/dev/null", O_RDWR | O_CLOEXEC);
    return *ret < 0 ? errno : 0;
}

static bool is_errno(int error)
{
    return error >= 0 && error <= 4095;
}

static void converse(struct fat_service *service, uint8_t how)
{
    static char first[] = "fatward";
    static char *argv[] = {first, NULL};
    struct fuse_args args = {.argc = 1, .argv = argv};
    struct fuse_session session = {.refuses = (how & 1) != 0};
    const struct fat_service_mount mount = {.source = "/dev/sda1",
            .directory = "/mnt",
            .words = "ro,allow_other,max_read=1,x-gvfs-show,else",
            .fuseblk = (how & 2) != 0};
    int fd = -1;
    int error = fat_service_append_arguments(service, &args);

    PROMISE(is_errno(error));
    if (error == 0) {
        error = fat_service_open(service, "/dev/sda1", O_RDWR, &fd);
        PROMISE(is_errno(error) && (error == 0) == (fd >= 0));
    }
    if (error == 0 || (how & 4)) {
        error = fat_service_mount(service, &session, &mount);
        PROMISE(is_errno(error));
    }
    fat_service_goodbye(service, error == 0);
    PROMISE(script.last.kind == FAT_WIRE_GOODBYE);
    PROMISE(script.last.error == (error == 0 ? 0U : 1U));
    if (fd >= 0) {
        (void)close(fd); /* was never used */
    }
    fuse_opt_free_args(&args);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static FILE *nowhere;
    struct fat_service *service = NULL;
    int open_before;

    if (!nowhere) {
        nowhere = fopen("/dev/null", "we");
        PROMISE(nowhere);
        stderr = nowhere; /* what the server says of its peer is not of interest */
    }
    open_before = script_count_open();

    script_begin(length > 0 ? bytes + 1 : bytes, length > 0 ? length - 1 : 0);
    PROMISE(is_errno(fat_service_accept(&service)));
    if (service) {
        converse(service, bytes[0]);
        fat_service_free(service);
    }
    PROMISE(script.sent[FAT_WIRE_GOODBYE] <= 1);
    PROMISE(script_count_open() == open_before);
    return 0;
}
