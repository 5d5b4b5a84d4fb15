/* SPDX-License-Identifier: MIT */
/*
 * The linker puts pread, pwrite and fdatasync of the engine through this file
 * (see CMakeLists.txt), so that the kernel can be made to misbehave.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <fatward/blkdev.h>

#include "support/cmocka.h"

enum { SIZE = 10000 };

/* What the next calls of pread, pwrite and fdatasync do. */
struct kernel {
    int error; /* this errno, while errors_left lasts          */
    unsigned errors_left;
    size_t transfer_max; /* no call moves more than this; 0: no limit    */
    unsigned calls;
};

static struct kernel kernel;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
ssize_t __real_pread64(int fd, void *buffer, size_t length, off_t offset);
ssize_t __real_pwrite64(int fd, const void *buffer, size_t length, off_t offset);
int __real_fdatasync(int fd);
ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t offset);
int __wrap_fdatasync(int fd);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static bool kernel_fails(void)
{
    kernel.calls++;
    if (kernel.errors_left == 0) {
        return false;
    }
    kernel.errors_left--;
    errno = kernel.error;
    return true;
}

static size_t kernel_moves(size_t length)
{
    return kernel.transfer_max && length > kernel.transfer_max ? kernel.transfer_max
                                                               : length;
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t offset)
{
    return kernel_fails() ? -1
                          : __real_pread64(fd, buffer, kernel_moves(length), offset);
}

ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t offset)
{
    return kernel_fails() ? -1
                          : __real_pwrite64(fd, buffer, kernel_moves(length), offset);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset)
{
    return __wrap_pread64(fd, buffer, length, offset);
}

ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
    return __wrap_pwrite64(fd, buffer, length, offset);
}

int __wrap_fdatasync(int fd)
{
    return kernel_fails() ? -1 : __real_fdatasync(fd);
}

/* A directory with an image of SIZE bytes that say where they are. */
struct place {
    char directory[64];
    char image[80];
    char other[80]; /* for what a test makes itself */
};

static uint8_t byte_at(size_t offset)
{
    return (uint8_t)(offset * 31 + offset / 256);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    FILE *file;

    kernel = (struct kernel){0};
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof(place->directory), "/tmp/blkdev.XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->image, sizeof(place->image), "%s/image", place->directory);
    (void)snprintf(place->other, sizeof(place->other), "%s/other", place->directory);
    file = fopen(place->image, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_not_equal(putc(byte_at(i), file), EOF);
    }
    assert_int_equal(fclose(file), 0);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    (void)unlink(place->other);
    (void)unlink(place->image);
    assert_int_equal(rmdir(place->directory), 0);
    free(place);
    return 0;
}

static struct fat_blkdev *open_ok(const char *path, enum fat_blkdev_mode mode)
{
    struct fat_blkdev *dev = NULL;

    assert_int_equal(fat_blkdev_file_open(path, mode, 0, &dev), FAT_OK);
    return dev;
}

static void assert_open_fails(
        const char *path, enum fat_blkdev_mode mode, unsigned wait_ms, fat_err want)
{
    struct fat_blkdev *dev = NULL;

    assert_int_equal(fat_blkdev_file_open(path, mode, wait_ms, &dev), want);
    assert_null(dev);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void an_image_has_its_size_and_its_bytes(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_READ);
    uint8_t got[SIZE] = {0};

    assert_int_equal(dev->size_bytes, SIZE);
    assert_int_equal(dev->block_bytes, 512);
    assert_true(dev->read_only);
    assert_int_equal(dev->ops->read(dev, 0, got, SIZE), FAT_OK);
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(got[i], byte_at(i));
    }
    assert_int_equal(dev->ops->flush(dev), FAT_OK);
    fat_blkdev_close(dev);
}

static void what_was_written_is_there_for_the_next_who_opens(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_WRITE);
    uint8_t got[6] = {0};

    assert_false(dev->read_only);
    assert_int_equal(dev->ops->write(dev, SIZE - 4, "tail", 4), FAT_OK);
    assert_int_equal(dev->ops->flush(dev), FAT_OK);
    fat_blkdev_close(dev);
    dev = open_ok(place->image, FAT_BLKDEV_READ);
    assert_int_equal(dev->size_bytes, SIZE);
    assert_int_equal(dev->ops->read(dev, SIZE - 6, got, 6), FAT_OK);
    assert_int_equal(got[0], byte_at(SIZE - 6));
    assert_int_equal(got[1], byte_at(SIZE - 5));
    assert_memory_equal(got + 2, "tail", 4);
    fat_blkdev_close(dev);
}

static void a_device_opened_to_read_refuses_writes(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_READ);

    assert_int_equal(dev->ops->write(dev, 0, "x", 1), FAT_E_READONLY);
    assert_int_equal(kernel.calls, 0);
    fat_blkdev_close(dev);
}

static const struct {
    const char *name;
    uint64_t offset;
    size_t length;
    fat_err want;
} ranges[] = {
        {"nothing at the very end", SIZE, 0, FAT_OK},
        {"the last byte", SIZE - 1, 1, FAT_OK},
        {"one byte past the end", SIZE, 1, FAT_E_RANGE},
        {"across the end", SIZE - 1, 2, FAT_E_RANGE},
        {"nothing past the end", SIZE + 1, 0, FAT_E_RANGE},
        {"an end that wraps round 2^64", UINT64_MAX, 2, FAT_E_RANGE},
        {"an offset that is negative as off_t", UINT64_C(1) << 63, 1, FAT_E_RANGE},
};

static void transfers_outside_the_image_are_refused(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_WRITE);
    struct stat st;

    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        uint8_t bytes[2] = {0};
        fat_err err = dev->ops->write(dev, ranges[i].offset, bytes, ranges[i].length);

        if (err != ranges[i].want) {
            fail_msg("write %s: got %d", ranges[i].name, err);
        }
        err = dev->ops->read(dev, ranges[i].offset, bytes, ranges[i].length);
        if (err != ranges[i].want) {
            fail_msg("read %s: got %d", ranges[i].name, err);
        }
    }
    fat_blkdev_close(dev);
    assert_int_equal(stat(place->image, &st), 0);
    assert_int_equal(st.st_size, SIZE);
}

static void short_and_interrupted_transfers_are_carried_through(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_WRITE);
    uint8_t bytes[1000];
    uint8_t got[1000] = {0};

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)~byte_at(i);
    }
    kernel = (struct kernel){.error = EINTR, .errors_left = 2, .transfer_max = 300};
    assert_int_equal(dev->ops->write(dev, 500, bytes, sizeof(bytes)), FAT_OK);
    assert_int_equal(kernel.calls, 2 + 4);
    kernel = (struct kernel){.error = EINTR, .errors_left = 2, .transfer_max = 300};
    assert_int_equal(dev->ops->read(dev, 500, got, sizeof(got)), FAT_OK);
    assert_int_equal(kernel.calls, 2 + 4);
    assert_memory_equal(got, bytes, sizeof(bytes));
    kernel = (struct kernel){.error = EINTR, .errors_left = 2};
    assert_int_equal(dev->ops->flush(dev), FAT_OK);
    assert_int_equal(kernel.calls, 2 + 1);
    fat_blkdev_close(dev);
}

static const struct {
    const char *name;
    int error;
    fat_err want;
} failures[] = {
        {"a failing medium", EIO, FAT_E_IO},
        {"a full backing file system", ENOSPC, FAT_E_NOSPC},
        {"a used-up quota", EDQUOT, FAT_E_NOSPC},
        {"a device pulled out", ENODEV, FAT_E_NODEV},
        {"a device without its driver", ENXIO, FAT_E_NODEV},
        {"a drive without its medium", ENOMEDIUM, FAT_E_NODEV},
        {"a medium switched to read-only", EROFS, FAT_E_READONLY},
        {"a block device set read-only", EPERM, FAT_E_READONLY},
        {"a kernel without memory", ENOMEM, FAT_E_NOMEM},
        {"whatever else", EINVAL, FAT_E_IO},
};

static void failed_transfers_and_flushes_say_why_and_are_not_retried(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_WRITE);

    for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
        const struct kernel broken = {.error = failures[i].error, .errors_left = 9};
        uint8_t byte = 0;
        fat_err err;

        kernel = broken;
        err = dev->ops->read(dev, 0, &byte, 1);
        if (err != failures[i].want || kernel.calls != 1) {
            fail_msg("read, %s: got %d", failures[i].name, err);
        }
        kernel = broken;
        err = dev->ops->write(dev, 0, &byte, 1);
        if (err != failures[i].want || kernel.calls != 1) {
            fail_msg("write, %s: got %d", failures[i].name, err);
        }
        kernel = broken;
        err = dev->ops->flush(dev);
        if (err != failures[i].want || kernel.calls != 1) {
            fail_msg("flush, %s: got %d", failures[i].name, err);
        }
    }
    fat_blkdev_close(dev);
}

static void an_image_cut_short_while_open_is_an_io_error(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *dev = open_ok(place->image, FAT_BLKDEV_READ);
    uint8_t bytes[100];

    assert_int_equal(truncate(place->image, SIZE - 50), 0);
    assert_int_equal(dev->ops->read(dev, SIZE - 100, bytes, 100), FAT_E_IO);
    assert_int_equal(dev->ops->read(dev, SIZE - 100, bytes, 50), FAT_OK);
    fat_blkdev_close(dev);
}

static void paths_that_hold_no_volume_are_refused_by_kind(void **state)
{
    struct place *place = *state;
    char below[100];

    (void)snprintf(below, sizeof(below), "%s/file", place->image);
    for (int mode = FAT_BLKDEV_READ; mode <= FAT_BLKDEV_WRITE_HELD; mode++) {
        const enum fat_blkdev_mode m = (enum fat_blkdev_mode)mode;

        assert_open_fails(place->other, m, 0, FAT_E_NOENT);
        assert_open_fails(below, m, 0, FAT_E_NOENT);
        assert_open_fails(place->directory, m, 0, FAT_E_ISDIR);
        assert_open_fails("/dev/null", m, 0, FAT_E_INVAL);
    }
}

static void a_fifo_is_refused_without_waiting_for_its_other_end(void **state)
{
    struct place *place = *state;

    assert_int_equal(mkfifo(place->other, 0600), 0);
    assert_open_fails(place->other, FAT_BLKDEV_READ, 0, FAT_E_INVAL);
}

/* Root may do everything: be somebody else for a moment. */
static void without_privilege(void (*step)(const char *), const char *path)
{
    const bool is_root = geteuid() == 0;

    if (is_root) {
        assert_int_equal(seteuid(65534), 0);
    }
    step(path);
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
}

static void expect_readable_only(const char *path)
{
    struct fat_blkdev *dev = NULL;
    const fat_err to_write = fat_blkdev_file_open(path, FAT_BLKDEV_WRITE, 0, &dev);
    const fat_err to_read = fat_blkdev_file_open(path, FAT_BLKDEV_READ, 0, &dev);

    assert_int_equal(to_write, FAT_E_READONLY);
    assert_int_equal(to_read, FAT_OK);
    fat_blkdev_close(dev);
}

static void expect_nothing_allowed(const char *path)
{
    assert_open_fails(path, FAT_BLKDEV_READ, 0, FAT_E_PERM);
}

static void permissions_that_refuse_writing_are_read_only(void **state)
{
    struct place *place = *state;

    assert_int_equal(chmod(place->directory, 0755), 0);
    assert_int_equal(chmod(place->image, 0444), 0);
    without_privilege(expect_readable_only, place->image);
    assert_int_equal(chmod(place->image, 0), 0);
    without_privilege(expect_nothing_allowed, place->image);
}

static void readers_share_and_a_writer_wants_to_be_alone(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *first = open_ok(place->image, FAT_BLKDEV_READ);
    struct fat_blkdev *second = open_ok(place->image, FAT_BLKDEV_READ);

    assert_open_fails(place->image, FAT_BLKDEV_WRITE, 0, FAT_E_BUSY);
    fat_blkdev_close(first);
    assert_open_fails(place->image, FAT_BLKDEV_WRITE_HELD, 0, FAT_E_BUSY);
    fat_blkdev_close(second);
    first = open_ok(place->image, FAT_BLKDEV_WRITE);
    assert_open_fails(place->image, FAT_BLKDEV_READ, 0, FAT_E_BUSY);
    assert_open_fails(place->image, FAT_BLKDEV_WRITE, 0, FAT_E_BUSY);
    fat_blkdev_close(first);
    fat_blkdev_close(open_ok(place->image, FAT_BLKDEV_READ));
}

static void closing_lets_go_even_if_a_copy_of_the_descriptor_lives_on(void **state)
{
    struct place *place = *state;
    const int fd = open(place->image, O_RDWR | O_CLOEXEC);
    const int copy = dup(fd);
    struct fat_blkdev *dev = NULL;

    assert_true(fd >= 0 && copy >= 0);
    assert_int_equal(fat_blkdev_file_take_fd(fd, FAT_BLKDEV_WRITE, 0, &dev), FAT_OK);
    fat_blkdev_close(dev);
    fat_blkdev_close(open_ok(place->image, FAT_BLKDEV_WRITE));
    assert_int_equal(close(copy), 0);
}

static void waiting_for_a_lock_ends_when_the_time_is_over(void **state)
{
    struct place *place = *state;
    struct fat_blkdev *holder = open_ok(place->image, FAT_BLKDEV_WRITE);
    const uint64_t start = now_ms();
    uint64_t waited;

    assert_open_fails(place->image, FAT_BLKDEV_WRITE, 150, FAT_E_BUSY);
    waited = now_ms() - start;
    assert_in_range(waited, 150, 5000);
    fat_blkdev_close(holder);
}

/* Hold the lock, say so, and let go when told to, after a little while. */
static void hold_for_a_while(const char *path, int told, int tell)
{
    struct fat_blkdev *dev = NULL;
    char byte = 'x';

    if (fat_blkdev_file_open(path, FAT_BLKDEV_WRITE, 0, &dev) != FAT_OK ||
            write(tell, &byte, 1) != 1 || read(told, &byte, 1) != 1) {
        _exit(1);
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 100 * 1000000L}, NULL);
    fat_blkdev_close(dev);
    _exit(0);
}

static void another_process_is_waited_for_and_then_gone(void **state)
{
    struct place *place = *state;
    int to_child[2];
    int to_parent[2];
    int status = -1;
    char byte = 'x';
    struct fat_blkdev *dev = NULL;
    pid_t child;

    assert_int_equal(pipe(to_child), 0);
    assert_int_equal(pipe(to_parent), 0);
    child = fork();
    if (child == 0) {
        hold_for_a_while(place->image, to_child[0], to_parent[1]);
    }
    assert_true(child > 0);
    assert_int_equal(read(to_parent[0], &byte, 1), 1);
    assert_open_fails(place->image, FAT_BLKDEV_READ, 0, FAT_E_BUSY);
    assert_int_equal(write(to_child[1], &byte, 1), 1);
    assert_int_equal(
            fat_blkdev_file_open(place->image, FAT_BLKDEV_WRITE, 20000, &dev), FAT_OK);
    fat_blkdev_close(dev);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (size_t i = 0; i < 2; i++) {
        (void)close(to_child[i]);
        (void)close(to_parent[i]);
    }
}

static void a_size_that_changed_while_waiting_is_the_new_one(void **state)
{
    struct place *place = *state;
    const int holder = open(place->image, O_RDWR | O_CLOEXEC);
    struct fat_blkdev *dev = NULL;
    pid_t child;
    int status = -1;

    assert_int_equal(flock(holder, LOCK_EX), 0);
    child = fork();
    if (child == 0) { /* shares our open file, and so our lock */
        (void)nanosleep(&(struct timespec){.tv_nsec = 60 * 1000000L}, NULL);
        _exit(ftruncate(holder, SIZE * 2) != 0 || flock(holder, LOCK_UN) != 0);
    }
    assert_true(child > 0);
    assert_int_equal(
            fat_blkdev_file_open(place->image, FAT_BLKDEV_READ, 20000, &dev), FAT_OK);
    assert_int_equal(dev->size_bytes, SIZE * 2);
    fat_blkdev_close(dev);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(close(holder), 0);
}

static void a_taken_descriptor_is_closed_and_not_inherited(void **state)
{
    struct place *place = *state;
    const int fd = open(place->image, O_RDWR);
    struct fat_blkdev *dev = NULL;

    assert_true(fd >= 0);
    assert_int_equal(fat_blkdev_file_take_fd(fd, FAT_BLKDEV_WRITE, 0, &dev), FAT_OK);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    fat_blkdev_close(dev);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static const struct {
    const char *name;
    int flags;
    enum fat_blkdev_mode mode;
    fat_err want;
} descriptors[] = {
        {"read-only, to write", O_RDONLY, FAT_BLKDEV_WRITE, FAT_E_READONLY},
        {"read-only, to write", O_RDONLY, FAT_BLKDEV_WRITE_HELD, FAT_E_READONLY},
        {"write-only, to read", O_WRONLY, FAT_BLKDEV_READ, FAT_E_PERM},
        {"write-only, to write", O_WRONLY, FAT_BLKDEV_WRITE, FAT_E_READONLY},
        {"appending", O_RDWR | O_APPEND, FAT_BLKDEV_WRITE, FAT_E_INVAL},
        {"a mere path", O_PATH, FAT_BLKDEV_READ, FAT_E_INVAL},
};

static void an_unfit_descriptor_stays_the_callers(void **state)
{
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(descriptors) / sizeof(*descriptors); i++) {
        const int fd = open(place->image, descriptors[i].flags);
        struct fat_blkdev *dev = NULL;
        const fat_err err = fat_blkdev_file_take_fd(fd, descriptors[i].mode, 0, &dev);

        if (err != descriptors[i].want || dev) {
            fail_msg("%s: got %d", descriptors[i].name, err);
        }
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_int_equal(close(fd), 0);
    }
}

static void a_number_that_is_no_descriptor_is_invalid(void **state)
{
    struct fat_blkdev *dev = NULL;

    (void)state;
    assert_int_equal(
            fat_blkdev_file_take_fd(-1, FAT_BLKDEV_READ, 0, &dev), FAT_E_INVAL);
    assert_null(dev);
}

static void an_opened_device_is_not_inherited(void **state)
{
    struct place *place = *state;
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct fat_blkdev *dev;

    assert_true(next >= 0);
    assert_int_equal(close(next), 0);
    dev = open_ok(place->image, FAT_BLKDEV_READ); /* gets the lowest free number */
    assert_int_equal(fcntl(next, F_GETFD), FD_CLOEXEC);
    fat_blkdev_close(dev);
}

#define ON_AN_IMAGE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            ON_AN_IMAGE(an_image_has_its_size_and_its_bytes),
            ON_AN_IMAGE(what_was_written_is_there_for_the_next_who_opens),
            ON_AN_IMAGE(a_device_opened_to_read_refuses_writes),
            ON_AN_IMAGE(transfers_outside_the_image_are_refused),
            ON_AN_IMAGE(short_and_interrupted_transfers_are_carried_through),
            ON_AN_IMAGE(failed_transfers_and_flushes_say_why_and_are_not_retried),
            ON_AN_IMAGE(an_image_cut_short_while_open_is_an_io_error),
            ON_AN_IMAGE(paths_that_hold_no_volume_are_refused_by_kind),
            ON_AN_IMAGE(a_fifo_is_refused_without_waiting_for_its_other_end),
            ON_AN_IMAGE(permissions_that_refuse_writing_are_read_only),
            ON_AN_IMAGE(readers_share_and_a_writer_wants_to_be_alone),
            ON_AN_IMAGE(closing_lets_go_even_if_a_copy_of_the_descriptor_lives_on),
            ON_AN_IMAGE(waiting_for_a_lock_ends_when_the_time_is_over),
            ON_AN_IMAGE(another_process_is_waited_for_and_then_gone),
            ON_AN_IMAGE(a_size_that_changed_while_waiting_is_the_new_one),
            ON_AN_IMAGE(a_taken_descriptor_is_closed_and_not_inherited),
            ON_AN_IMAGE(an_unfit_descriptor_stays_the_callers),
            ON_AN_IMAGE(a_number_that_is_no_descriptor_is_invalid),
            ON_AN_IMAGE(an_opened_device_is_not_inherited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
