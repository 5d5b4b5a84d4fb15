/* SPDX-License-Identifier: MIT */
/*
 * The server's side (service/server_own.c) against a mount helper that breaks off,
 * stays silent or lies, at every step.
 */
#include "service/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conversation.h"
#include "service/argv.h"

#include "support/cmocka.h"
#include "support/failalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const enum fat_wire_kind servers_order[] = {FAT_WIRE_HELLO_REPLY, FAT_WIRE_OPEN,
        FAT_WIRE_TYPE, FAT_WIRE_SOURCE, FAT_WIRE_MOUNTPOINT, FAT_WIRE_OPTIONS,
        FAT_WIRE_TABLE_OPTIONS, FAT_WIRE_MOUNT};

static const struct wishes usual = {
        "default_permissions,allow_other,x-a=1,max_read=4096", O_RDWR | O_EXCL, false};

static void show(const char *name, const struct peer *p, const struct result *result)
{
    print_message("case: %s; error %d in '%s', %u messages, said: %s\n", name,
            result->error, result->where, p->got_count, result->said);
}

static void expect_packet(const struct packet *packet, const void *bytes, size_t length)
{
    assert_int_equal(packet->length, length);
    assert_memory_equal(packet->bytes, bytes, length);
}

/* The first @count messages in the order that they have, and a goodbye if @said. */
static bool is_in_order(const struct peer *p, unsigned count, const char *goodbye)
{
    if (p->got_count != count + (goodbye ? 1 : 0)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(p->got[i].bytes, fat_wire_name(servers_order[i]), 4) != 0) {
            return false;
        }
    }
    return !goodbye ||
           (p->got[count].length == 8 && memcmp(p->got[count].bytes, goodbye, 8) == 0);
}

/* What the server has sent when the helper is about to play @step. */
static unsigned sent_before(int step)
{
    return step == HELLO ? 0 : step <= FUSEDEV ? 1 : (unsigned)step - 1;
}

/* What is said of @step on standard error. */
static const char *name_of(int step)
{
    static const char *const names[STEPS] = {"greeting", "argv", "fusedev", "OPEN",
            "TYPE", "NAME", "MNTP", "OPTS", "MTAB", "DOIT"};

    return names[step];
}

static bool is_as_expected(const struct peer *p, const struct result *result, int error)
{
    const bool began = p->at >= IMAGE;
    const char *goodbye = began && p->how != HANGS_UP ? "BYEE\0\0\0\1" : NULL;

    return p->departed && result->error == error && !result->mounted &&
           strstr(result->said, "<3>fatward: ") == result->said &&
           strstr(result->said, name_of(p->at)) &&
           is_in_order(p, sent_before(p->at), goodbye);
}

static void a_mount_is_made_message_by_message(void **state)
{
    struct peer p = new_peer();
    const struct result result = converse(&p, &usual);

    (void)state;
    assert_int_equal(result.error, 0);
    assert_string_equal(result.said, "");
    assert_string_equal(result.where, "");
    assert_true(result.has_image);
    assert_true(result.is_in_root);
    assert_string_equal(result.words,
            "fatward|--unit|" IMAGE_PATH "|" DIRECTORY_PATH "|-o|uid=7,x-a=1|");
    assert_int_equal(p.got_count, 9);
    expect_packet(&p.got[0], BYTES("LAST\0\1\0\0"));
    expect_packet(
            &p.got[1], BYTES("OPEN\0\0\0\x82\0\0\0\0\0\0\0\0\0\0\0\0" IMAGE_PATH "\0"));
    expect_packet(&p.got[2], BYTES("TYPE\0\0\0\0"));
    expect_packet(&p.got[3], BYTES("NAMEthe source\0"));
    expect_packet(&p.got[4], BYTES("MNTP\x40\0\0\0" DIRECTORY_PATH "\0"));
    expect_packet(
            &p.got[5], BYTES("OPTSdefault_permissions,allow_other,max_read=4096\0"));
    expect_packet(&p.got[6], BYTES("MTABx-a=1\0"));
    expect_packet(&p.got[7], BYTES("DOIT\0\0\0\6"));
    expect_packet(&p.got[8], BYTES("BYEE\0\0\0\0"));
    assert_int_equal(shortest_limit_ms, GREETING_LIMIT_MS);
    assert_int_equal(longest_limit_ms, LIMIT_MS);
    done_peer(&p);
}

static void what_was_not_asked_for_is_not_sent(void **state)
{
    static const struct wishes wishes = {
            "ro,fsname=x,subtype=y,noexec", O_RDONLY, true};
    struct peer p = new_peer();
    const struct result result = converse(&p, &wishes);

    (void)state;
    assert_int_equal(result.error, 0);
    assert_int_equal(p.got_count, 7);
    expect_packet(&p.got[2], BYTES("TYPE\0\0\0\1"));
    expect_packet(&p.got[5], BYTES("DOIT\0\0\0\xf"));
    expect_packet(&p.got[6], BYTES("BYEE\0\0\0\0"));
    done_peer(&p);
}

/* Every way of going wrong that is the same for all steps, at every step. */
static void no_step_survives_a_helper_that(enum how how, const char *name, int error)
{
    for (int step = HELLO; step <= DOIT; step++) {
        struct peer p = new_peer();
        struct result result;

        p.at = step;
        p.how = how;
        result = converse(&p, &usual);
        if (!is_as_expected(&p, &result, error)) {
            show(name, &p, &result);
            fail_msg("at step %s", name_of(step));
        }
        done_peer(&p);
    }
}

static void a_helper_that_hangs_up_is_noticed_at_every_step(void **state)
{
    (void)state;
    no_step_survives_a_helper_that(HANGS_UP, "hangs up", ECONNRESET);
    no_step_survives_a_helper_that(NO_BYTES, "an empty packet", ECONNRESET);
}

static void a_helper_that_says_nothing_is_left_at_every_step(void **state)
{
    (void)state;
    no_step_survives_a_helper_that(SAYS_NOTHING, "says nothing", ETIMEDOUT);
}

static void a_message_without_sense_ends_it_at_every_step(void **state)
{
    static const struct {
        enum how how;
        const char *name;
    } cases[] = {
            {ONE_BYTE_SHORT, "one byte short"},
            {ONE_BYTE_LONG, "one byte long"},
            {THREE_BYTES, "three bytes"},
            {OF_NO_KIND, "of no kind"},
            {TOO_LARGE, "too large"},
            {OF_ANOTHER_KIND, "of another kind"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        no_step_survives_a_helper_that(cases[i].how, cases[i].name, EBADMSG);
    }
}

/* A second reply can't be told from the answer to the next command. */
static void a_message_that_comes_twice_is_out_of_order(void **state)
{
    (void)state;
    for (int step = HELLO; step <= IMAGE; step++) {
        struct peer p = new_peer();
        struct result result;

        p.at = step;
        p.how = TWICE;
        result = converse(&p, &usual);
        if (result.error != EBADMSG || !strstr(result.said, name_of(step + 1)) ||
                !is_in_order(&p, sent_before(step + 1),
                        step >= FUSEDEV ? "BYEE\0\0\0\1" : NULL)) {
            show("twice", &p, &result);
            fail_msg("at step %s", name_of(step));
        }
        done_peer(&p);
    }
}

#define FILE_SAYING(number, name)                                 \
    {                                                             \
        .kind = FAT_WIRE_FILE, .error = (number), .text = (name), \
    }
#define REPLY_SAYING(number)                       \
    {                                              \
        .kind = FAT_WIRE_REPLY, .error = (number), \
    }

static void an_answer_that_makes_no_sense_is_refused_and_an_errno_is_not(void **state)
{
    static const struct {
        const char *name;
        int at;
        struct fat_wire_message message;
        unsigned descriptors;
        int error;
    } cases[] = {
            {"argv, another name", ARGV, FILE_SAYING(0, "fusedev"), 1, EBADMSG},
            {"argv, the beginning", ARGV, FILE_SAYING(0, "arg"), 1, EBADMSG},
            {"argv, no descriptor", ARGV, FILE_SAYING(0, "argv"), 0, EBADMSG},
            {"argv, two descriptors", ARGV, FILE_SAYING(0, "argv"), 2, EBADF},
            {"argv, error with it", ARGV, FILE_SAYING(EIO, "argv"), 1, EBADMSG},
            {"argv, error", ARGV, FILE_SAYING(EIO, "argv"), 0, EBADMSG},
            {"argv, two and error", ARGV, FILE_SAYING(EIO, "argv"), 2, EBADF},
            {"fusedev, argv again", FUSEDEV, FILE_SAYING(0, "argv"), 1, EBADMSG},
            {"fusedev, no descriptor", FUSEDEV, FILE_SAYING(0, "fusedev"), 0, EBADMSG},
            {"fusedev, two", FUSEDEV, FILE_SAYING(0, "fusedev"), 2, EBADF},
            {"fusedev, error", FUSEDEV, FILE_SAYING(EACCES, "fusedev"), 0, EBADMSG},
            {"fusedev, both", FUSEDEV, FILE_SAYING(EACCES, "fusedev"), 1, EBADMSG},
            {"image, another name", IMAGE, FILE_SAYING(0, "dir/./a image"), 1, EBADMSG},
            {"image, unknown", IMAGE, FILE_SAYING(0, "?"), 1, EBADMSG},
            {"image, no descriptor", IMAGE, FILE_SAYING(0, IMAGE_PATH), 0, EBADMSG},
            {"image, two", IMAGE, FILE_SAYING(0, IMAGE_PATH), 2, EBADF},
            {"image, both", IMAGE, FILE_SAYING(EBUSY, IMAGE_PATH), 1, EBADMSG},
            {"image, no errno", IMAGE, FILE_SAYING(5000, IMAGE_PATH), 0, EBADMSG},
            {"image, -1", IMAGE, FILE_SAYING(UINT32_MAX, IMAGE_PATH), 0, EBADMSG},
            {"type, no errno", TYPE, REPLY_SAYING(5000), 0, EBADMSG},
            {"type, EPERM", TYPE, REPLY_SAYING(EPERM), 0, EPERM},
            {"source, EINVAL", SOURCE, REPLY_SAYING(EINVAL), 0, EINVAL},
            {"mountpoint, EACCES", DIRECTORY, REPLY_SAYING(EACCES), 0, EACCES},
            {"options, EPERM", OPTS, REPLY_SAYING(EPERM), 0, EPERM},
            {"table, EINVAL", MTAB, REPLY_SAYING(EINVAL), 0, EINVAL},
            {"mount, EBUSY", DOIT, REPLY_SAYING(EBUSY), 0, EBUSY},
            {"mount, EBUSY with a file", DOIT, REPLY_SAYING(EBUSY), 1, EBUSY},
            {"mount, the largest", DOIT, REPLY_SAYING(4095), 0, 4095},
            {"mount, one more", DOIT, REPLY_SAYING(4096), 0, EBADMSG},
            {"mount, -EBUSY", DOIT, REPLY_SAYING(-(uint32_t)EBUSY), 0, EBADMSG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer p = new_peer();
        struct result result;

        p.at = cases[i].at;
        p.how = INSTEAD;
        p.instead = cases[i].message;
        p.descriptors = cases[i].descriptors;
        result = converse(&p, &usual);
        if (!is_as_expected(&p, &result, cases[i].error) ||
                strstr(result.said, "(null)")) {
            show(cases[i].name, &p, &result);
            fail_msg("%s", cases[i].name);
        }
        done_peer(&p);
    }
}

/* What open(2) said is for the caller to judge: he may well try again. */
static void an_error_of_open_is_handed_on_in_silence(void **state)
{
    static const struct fat_wire_message answers[] = {
            FILE_SAYING(ENOENT, IMAGE_PATH),
            FILE_SAYING(EBUSY, IMAGE_PATH),
            FILE_SAYING(4095, IMAGE_PATH),
            FILE_SAYING(EINVAL, "?"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct peer p = new_peer();
        struct result result;

        p.at = IMAGE;
        p.how = INSTEAD;
        p.instead = answers[i];
        result = converse(&p, &usual);
        assert_int_equal(result.error, answers[i].error);
        assert_string_equal(result.where, "open");
        assert_string_equal(result.said, "");
        assert_true(is_in_order(&p, 2, "BYEE\0\0\0\1"));
        done_peer(&p);
    }
}

/* Linux 6.16 */
static bool kernel_can_refuse(void)
{
    enum { OPTION_PASSRIGHTS = 83 };
    const int off = 0;
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    const bool can =
            setsockopt(fd, SOL_SOCKET, OPTION_PASSRIGHTS, &off, sizeof(off)) == 0;

    assert_int_equal(close(fd), 0);
    return can;
}

static void descriptors_that_nobody_asked_for_do_not_get_in(void **state)
{
    static const int steps[] = {HELLO, TYPE, SOURCE, DIRECTORY, OPTS, MTAB, DOIT};

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct peer p = new_peer();
        struct result result;

        p.at = steps[i];
        p.how = INSTEAD;
        p.instead = peer_message(&p, steps[i]);
        p.descriptors = 2;
        p.goes_on = true;
        result = converse(&p, &usual); /* counts descriptors */
        assert_int_equal(result.error, 0);
        assert_int_equal(p.got_count, 9);
        assert_int_equal(p.was_refused, steps[i] != HELLO && kernel_can_refuse());
        done_peer(&p);
    }
}

static void the_greeting_settles_the_version(void **state)
{
    static const struct {
        uint16_t from, to;
        uint32_t flags;
        int error;
    } cases[] = {
            {0, 1, 0, 0},
            {1, 1, 0, 0},
            {1, 9, 0, 0},
            {0, UINT16_MAX, 0, 0},
            {1, 1, UINT32_MAX, 0}, /* more than we know */
            {2, 3, 0, EPROTONOSUPPORT},
            {0, 0, 0, EPROTONOSUPPORT},
            {1, 0, 0, EPROTONOSUPPORT},
            {UINT16_MAX, UINT16_MAX, 0, EPROTONOSUPPORT},
            {3, 1, 0, EPROTONOSUPPORT},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer p = new_peer();
        struct result result;

        p.hello.min_version = cases[i].from;
        p.hello.version = cases[i].to;
        p.hello.flags = cases[i].flags;
        if (cases[i].error) {
            p.at = ARGV; /* never comes */
        }
        result = converse(&p, &usual);
        assert_int_equal(result.error, cases[i].error);
        assert_int_equal(p.got_count, cases[i].error ? 0 : 9);
        done_peer(&p);
    }
}

static void the_greeting_says_what_the_caller_may(void **state)
{
    (void)state;
    for (uint32_t flags = 0; flags < 4; flags++) {
        struct peer p = new_peer();
        struct fat_service *service = NULL;
        pthread_t thread;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        p.socket = ends[1];
        activate(ends[0]);
        p.hello.flags = flags;
        assert_int_equal(pthread_create(&thread, NULL, peer_help, &p), 0);
        assert_int_equal(fat_service_accept(&service), 0);
        assert_int_equal(fat_service_can_allow_other(service), flags & 1);
        assert_int_equal(fat_service_can_fuseblk(service), flags >> 1);
        /* the first counts */
        fat_service_goodbye(service, true);
        fat_service_goodbye(service, false);
        fat_service_free(service);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(p.got_count, 2);
        expect_packet(&p.got[1], BYTES("BYEE\0\0\0\0"));
        reserve_descriptor();
        done_peer(&p);
    }
    fat_service_free(NULL);
}

static int pipe_with(const void *bytes, size_t length)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, length), length);
    assert_int_equal(close(ends[1]), 0);
    return ends[0];
}

static int large_file(void)
{
    const int fd = memory_file(BYTES("ARGS\0\0\0\1\0\0\0\x10\0\0\0\2a\0"));

    assert_int_equal(ftruncate(fd, FAT_ARGV_LARGEST + 1), 0);
    return fd;
}

static void a_command_line_that_makes_no_sense_is_refused(void **state)
{
    /* "a" alone; then what is wrong with it */
    const int files[] = {
            memory_file(BYTES("")),
            memory_file(BYTES("ARGS")),
            memory_file(BYTES("ARGX\0\0\0\1\0\0\0\x10\0\0\0\2a\0")),
            memory_file(BYTES("ARGS\0\0\0\0\0\0\0\x10\0\0\0\2a\0")),
            memory_file(BYTES("ARGS\0\0\0\2\0\0\0\x10\0\0\0\2a\0")),
            memory_file(BYTES("ARGS\xff\xff\xff\xff\0\0\0\x10\0\0\0\2a\0")),
            memory_file(BYTES("ARGS\0\0\0\1\0\0\0\x11\0\0\0\2a\0")),
            memory_file(BYTES("ARGS\0\0\0\1\0\0\0\x10\xff\xff\xff\xf2"
                              "a\0")),
            memory_file(BYTES("ARGS\0\0\0\1\0\0\0\x10\0\0\0\0a\0")),
            memory_file(BYTES("ARGS\0\0\0\1\0\0\0\x10\0\0\0\2aa")),
            large_file(),
            pipe_with(BYTES("ARGS\0\0\0\1\0\0\0\x10\0\0\0\2a\0")),
            open("/", O_RDONLY | O_DIRECTORY),
            open("/dev/zero", O_RDONLY),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct peer p = new_peer();
        struct result result;

        assert_true(files[i] >= 0);
        assert_int_equal(close(p.argv_fd), 0);
        p.argv_fd = files[i];
        result = converse(&p, &usual);
        if (result.error != EBADMSG || strcmp(result.where, "append_arguments") != 0 ||
                !strstr(result.said, "command line") ||
                !is_in_order(&p, 1, "BYEE\0\0\0\1")) {
            show("command line", &p, &result);
            fail_msg("file %zu", i);
        }
        done_peer(&p);
    }
}

static void any_allocation_may_fail(void **state)
{
    bool failed = true;

    (void)state;
    for (unsigned nth = 1; failed; nth++) {
        struct peer p = new_peer();
        struct result result;

        failalloc_arm(nth, FAILALLOC_ONCE);
        result = converse(&p, &usual);
        failed = failalloc_disarm();
        if (result.error != (failed ? ENOMEM : 0)) {
            show("no memory", &p, &result);
            fail_msg("allocation %u", nth);
        }
        if (strcmp(result.where, "accept") != 0) {
            assert_memory_equal(p.got[p.got_count - 1].bytes,
                    failed ? "BYEE\0\0\0\1" : "BYEE\0\0\0\0", 8);
        }
        done_peer(&p);
    }
}

static void started_by_hand_there_is_no_service(void **state)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): anything but NULL */
    struct fat_service *service = (struct fat_service *)(uintptr_t)1;

    (void)state;
    assert_int_equal(fat_service_accept(&service), 0);
    assert_null(service);
}

static int begin(void **state)
{
    (void)state;
    reserve_descriptor();
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread is there yet */
    return unsetenv("LISTEN_PID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(started_by_hand_there_is_no_service),
            cmocka_unit_test(a_mount_is_made_message_by_message),
            cmocka_unit_test(what_was_not_asked_for_is_not_sent),
            cmocka_unit_test(a_helper_that_hangs_up_is_noticed_at_every_step),
            cmocka_unit_test(a_helper_that_says_nothing_is_left_at_every_step),
            cmocka_unit_test(a_message_without_sense_ends_it_at_every_step),
            cmocka_unit_test(a_message_that_comes_twice_is_out_of_order),
            cmocka_unit_test(
                    an_answer_that_makes_no_sense_is_refused_and_an_errno_is_not),
            cmocka_unit_test(an_error_of_open_is_handed_on_in_silence),
            cmocka_unit_test(descriptors_that_nobody_asked_for_do_not_get_in),
            cmocka_unit_test(the_greeting_settles_the_version),
            cmocka_unit_test(the_greeting_says_what_the_caller_may),
            cmocka_unit_test(a_command_line_that_makes_no_sense_is_refused),
            cmocka_unit_test(any_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
