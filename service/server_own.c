/* SPDX-License-Identifier: MIT */
/*
 * The server's side for a libfuse without the protocol: 3.14 to 3.18, and a later one
 * that was built without it.
 *
 * What the peer does wrong goes to standard error, which is the journal: only there can
 * the administrator see why a mount did not come up.
 */
#define _GNU_SOURCE /* strerrordesc_np, struct ucred's neighbours */
#include "service/server.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/activation.h"
#include "service/argv.h"
#include "service/channel.h"
#include "service/words.h"

/* Newer than the headers that this is built with. */
enum { OPTION_PASSRIGHTS = 83 };

/*
 * A helper asks nobody; only opening may take long, where a disk has to spin up. Who
 * connects and then says nothing takes up one of not many places.
 */
enum { GREETING_LIMIT_MS = 5000, LIMIT_MS = 30000 };

/* The largest errno that the kernel has. */
enum { LARGEST_ERRNO = 4095 };

enum { GOODBYE_FAILED = 1 }; /* 2 would mean: try another program */

struct fat_service {
    int socket;       /* -1 after goodbye */
    const char *step; /* for messages     */
    unsigned limit_ms;
    int fuse, arguments;
    uint32_t rights;
    struct fat_channel_packet packet;
};

static int complain(int error, const char *step, const char *what)
{
    const char *text = strerrordesc_np(error);

    (void)fprintf(stderr, "<3>fatward: mount helper: %s: %s: %s\n", step, what,
            text ? text : "an error without a name");
    return error;
}

/* Receive a message of @kind; anything else ends the conversation. */
static int receive(struct fat_service *s, enum fat_wire_kind kind, int *ret_fd)
{
    const struct fat_wire_message *message = &s->packet.message;
    int error = fat_channel_receive(s->socket, s->limit_ms, &s->packet, ret_fd);

    if (error) {
        return complain(error, s->step, "waiting for its message");
    }
    if (s->packet.fault != FAT_WIRE_SOUND) {
        error = complain(EBADMSG, s->step, fat_wire_fault_text(s->packet.fault));
    } else if (message->kind != kind) {
        error = complain(EBADMSG, s->step, "a message of another kind was due");
    }
    if (error && ret_fd && *ret_fd >= 0) {
        close(*ret_fd);
        *ret_fd = -1;
    }
    return error;
}

static int send_message(
        const struct fat_service *s, const struct fat_wire_message *message)
{
    const int error = fat_channel_send(s->socket, s->limit_ms, message, -1);

    return error ? complain(error, fat_wire_name(message->kind), "sending") : 0;
}

/* Give a command; what the helper answers. */
static int ask(struct fat_service *s, const struct fat_wire_message *message)
{
    uint32_t answer;
    int error;

    s->step = fat_wire_name(message->kind);
    error = send_message(s, message);
    if (!error) {
        error = receive(s, FAT_WIRE_REPLY, NULL);
    }
    if (error) {
        return error;
    }
    answer = s->packet.message.error;
    if (answer > LARGEST_ERRNO) {
        return complain(EBADMSG, s->step, "answered no errno");
    }
    return answer == 0 ? 0 : complain((int)answer, s->step, "refused");
}

static int greet(struct fat_service *s)
{
    const struct fat_wire_message answer = {
            .kind = FAT_WIRE_HELLO_REPLY, .version = FAT_WIRE_VERSION};
    const struct fat_wire_message *hello = &s->packet.message;
    const int error = receive(s, FAT_WIRE_HELLO, NULL);

    if (error) {
        return error;
    }
    if (hello->min_version > FAT_WIRE_VERSION || hello->version < FAT_WIRE_VERSION) {
        return complain(EPROTONOSUPPORT, s->step, "speaks no version 1");
    }
    /* a later helper may offer more than we know; we never ask for it */
    s->rights = hello->flags;
    return send_message(s, &answer);
}

/* The two descriptors of the handshake, by their fixed names. */
static int take_descriptor(struct fat_service *s, const char *name, int *ret)
{
    int fd = -1;
    int error;

    s->step = name;
    error = receive(s, FAT_WIRE_FILE, &fd);
    if (error) {
        return error;
    }
    if (s->packet.message.error != 0 || fd < 0 ||
            strcmp(s->packet.message.text, name) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return complain(EBADMSG, s->step, "not the descriptor that was due");
    }
    *ret = fd;
    return 0;
}

static struct fat_service *service_new(int socket)
{
    struct fat_service *s = calloc(1, sizeof(*s));

    if (s) {
        s->socket = socket;
        s->step = "greeting";
        s->limit_ms = GREETING_LIMIT_MS;
        s->fuse = -1;
        s->arguments = -1;
    }
    return s;
}

int fat_service_accept(struct fat_service **ret)
{
    struct fat_service *s;
    int socket;
    int error = fat_activation_socket(&socket);

    if (error || socket < 0) {
        *ret = NULL;
        return error ? complain(error, "connection", "not as systemd hands it over")
                     : 0;
    }
    s = service_new(socket);
    if (!s) {
        close(socket);
        return ENOMEM;
    }
    error = greet(s);
    if (!error) {
        error = take_descriptor(s, "argv", &s->arguments);
    }
    if (!error) {
        error = take_descriptor(s, "fusedev", &s->fuse);
    }
    if (error) {
        /* no goodbye: the conversation has not begun */
        close(s->socket);
        s->socket = -1;
        fat_service_free(s);
        return error;
    }
    s->limit_ms = LIMIT_MS;
    *ret = s;
    return 0;
}

bool fat_service_can_allow_other(const struct fat_service *service)
{
    return (service->rights & FAT_WIRE_MAY_ALLOW_OTHER) != 0;
}

bool fat_service_can_fuseblk(const struct fat_service *service)
{
    return (service->rights & FAT_WIRE_MAY_FUSEBLK) != 0;
}

/* The whole file, which must be one and not too large. */
static int read_arguments(int fd, void **ret, size_t *ret_length)
{
    struct stat status;
    unsigned char *bytes;
    size_t done = 0;

    if (fstat(fd, &status) != 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode) || status.st_size <= 0 ||
            status.st_size > FAT_ARGV_LARGEST) {
        return EBADMSG;
    }
    bytes = malloc((size_t)status.st_size);
    if (!bytes) {
        return ENOMEM;
    }
    while (done < (size_t)status.st_size) {
        const ssize_t got =
                pread(fd, bytes + done, (size_t)status.st_size - done, (off_t)done);

        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            free(bytes);
            return got == 0 ? EBADMSG : errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    *ret = bytes;
    *ret_length = done;
    return 0;
}

/* libfuse lengthens only what it has allocated itself. */
static int make_longer(struct fuse_args *args)
{
    struct fuse_args copy = FUSE_ARGS_INIT(0, NULL);

    for (int i = 0; !args->allocated && i < args->argc; i++) {
        if (fuse_opt_add_arg(&copy, args->argv[i]) != 0) {
            fuse_opt_free_args(&copy);
            return ENOMEM;
        }
    }
    if (copy.allocated) {
        *args = copy;
    }
    return 0;
}

static int append(struct fuse_args *args, const char *const *arguments, unsigned count)
{
    if (make_longer(args) != 0) {
        return ENOMEM;
    }
    for (unsigned i = 1; i < count; i++) {
        if (fuse_opt_add_arg(args, arguments[i]) != 0) {
            return ENOMEM;
        }
    }
    return 0;
}

int fat_service_append_arguments(struct fat_service *service, struct fuse_args *args)
{
    const char **arguments = NULL;
    void *bytes = NULL;
    size_t length = 0;
    unsigned count = 0;
    enum fat_argv_fault fault;
    int error = read_arguments(service->arguments, &bytes, &length);

    if (error) {
        return complain(error, "command line", "can't be read");
    }
    fault = fat_argv_decode(bytes, length, &arguments, &count);
    if (fault != FAT_ARGV_SOUND) {
        error = complain(fault == FAT_ARGV_NO_MEMORY ? ENOMEM : EBADMSG, "command line",
                fat_argv_fault_text(fault));
    } else {
        error = append(args, arguments, count);
    }
    free(arguments);
    free(bytes);
    close(service->arguments);
    service->arguments = -1;
    return error;
}

/* An error may come under the name "?", where the request made no sense. */
static int take_file(struct fat_service *s, const char *path, int *ret)
{
    const struct fat_wire_message *message = &s->packet.message;
    int fd = -1;
    const int error = receive(s, FAT_WIRE_FILE, &fd);

    if (error) {
        return error;
    }
    if (message->error == 0 && fd >= 0 && strcmp(message->text, path) == 0) {
        *ret = fd;
        return 0;
    }
    if (fd >= 0) {
        close(fd);
    } else if (message->error > 0 && message->error <= LARGEST_ERRNO) {
        return (int)message->error;
    }
    return complain(EBADMSG, s->step, "its answer makes no sense");
}

int fat_service_open(
        struct fat_service *service, const char *path, int flags, int *ret_fd)
{
    const struct fat_wire_message request = {
            .kind = FAT_WIRE_OPEN, .open_flags = (uint32_t)flags, .text = path};
    int error;

    service->step = fat_wire_name(request.kind);
    error = send_message(service, &request);
    return error ? error : take_file(service, path, ret_fd);
}

/* From here on no descriptor is wanted: the kernel shall refuse to hand one over. */
static void refuse_descriptors(int socket)
{
    const int off = 0;

    /* kernels before 6.16 don't know it; no room for one is made then either */
    (void)setsockopt(socket, SOL_SOCKET, OPTION_PASSRIGHTS, &off, sizeof(off));
}

/* The session takes the descriptor over, and closes it. */
static int bind_session(struct fat_service *s, struct fuse_session *session)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/dev/fd/%d", s->fuse);
    if (fuse_session_mount(session, path) != 0) {
        return complain(EBADF, "fusedev", "libfuse refuses it");
    }
    s->fuse = -1;
    return 0;
}

static int steps(struct fat_service *s, const struct fat_service_mount *mount,
        const struct fat_words *words)
{
    /* TYPE comes first: what is sent before it is lost (libfuse 3.19) */
    const struct fat_wire_message messages[] = {
            {.kind = FAT_WIRE_TYPE, .flags = mount->fuseblk ? FAT_WIRE_FUSEBLK : 0},
            {.kind = FAT_WIRE_SOURCE, .text = mount->source},
            {.kind = FAT_WIRE_MOUNTPOINT, .format = S_IFDIR, .text = mount->directory},
            {.kind = FAT_WIRE_OPTIONS, .text = words->kernel},
            {.kind = FAT_WIRE_TABLE_OPTIONS, .text = words->table},
            {.kind = FAT_WIRE_MOUNT, .flags = words->flags},
    };
    int error = 0;

    for (size_t i = 0; !error && i < sizeof(messages) / sizeof(messages[0]); i++) {
        const bool is_list = messages[i].kind == FAT_WIRE_OPTIONS ||
                             messages[i].kind == FAT_WIRE_TABLE_OPTIONS;

        if (messages[i].text || !is_list) {
            error = ask(s, &messages[i]);
        }
    }
    return error;
}

int fat_service_mount(struct fat_service *service, struct fuse_session *session,
        const struct fat_service_mount *mount)
{
    struct fat_words words;
    int error = ENOMEM;

    refuse_descriptors(service->socket);
    fat_words_init(&words);
    if (fat_words_sort(&words, mount->words)) {
        error = bind_session(service, session);
    }
    if (!error) {
        error = steps(service, mount, &words);
    }
    fat_words_done(&words);
    if (!error && chdir("/") != 0) {
        error = complain(errno, "DOIT", "changing to / afterwards");
    }
    return error;
}

void fat_service_goodbye(struct fat_service *service, bool ok)
{
    const struct fat_wire_message goodbye = {
            .kind = FAT_WIRE_GOODBYE, .error = ok ? 0 : GOODBYE_FAILED};

    if (service->socket >= 0) {
        (void)send_message(service, &goodbye); /* a helper that is gone needs none */
        (void)shutdown(service->socket, SHUT_RDWR);
        close(service->socket);
        service->socket = -1;
    }
}

void fat_service_free(struct fat_service *service)
{
    if (service) {
        fat_service_goodbye(service, false);
        if (service->fuse >= 0) {
            close(service->fuse);
        }
        if (service->arguments >= 0) {
            close(service->arguments);
        }
        free(service);
    }
}
