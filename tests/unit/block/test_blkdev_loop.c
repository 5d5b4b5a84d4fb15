/* SPDX-License-Identifier: MIT */
/*
 * The file device on a real block device: a loop device of our own, on a machine
 * that gives us one (root and /dev/loop-control); else the program is skipped.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <fatward/blkdev.h>

#include "support/cmocka.h"

enum { SIZE = 1 << 20, TRIES = 20 };

struct loop {
    char image[64];
    char path[64];
    int fd; /* of the loop device, held until it is detached; -1: there is none */
};

/* Somebody else may take the number we were offered: then ask again. */
static int attach(int control, int image, struct loop *loop)
{
    struct loop_config config = {.fd = (uint32_t)image, .block_size = 4096};

    for (int i = 0; i < TRIES; i++) {
        const int number = ioctl(control, LOOP_CTL_GET_FREE);
        int fd;

        if (number < 0) {
            return -1;
        }
        (void)snprintf(loop->path, sizeof(loop->path), "/dev/loop%d", number);
        fd = open(loop->path, O_RDWR | O_CLOEXEC);
        if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
            return fd;
        }
        if (fd < 0 || errno != EBUSY) {
            if (fd >= 0) {
                (void)close(fd);
            }
            return -1;
        }
        (void)close(fd);
    }
    return -1;
}

static bool attach_new_image(struct loop *loop)
{
    const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int image;

    (void)snprintf(loop->image, sizeof(loop->image), "/tmp/blkdev-loop.XXXXXX");
    image = mkstemp(loop->image);
    loop->fd = -1;
    if (control >= 0 && image >= 0 && ftruncate(image, SIZE) == 0) {
        loop->fd = attach(control, image, loop);
    }
    (void)close(control);
    (void)close(image);
    return loop->fd >= 0;
}

static void detach(struct loop *loop)
{
    const int off = 0;

    if (loop->fd >= 0) {
        /* The device would stay read-only for its next image. */
        assert_int_equal(ioctl(loop->fd, BLKROSET, &off), 0);
        assert_int_equal(ioctl(loop->fd, LOOP_CLR_FD), 0);
        (void)close(loop->fd);
    }
    (void)unlink(loop->image);
}

static int setup(void **state)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    assert_non_null(loop);
    assert_true(attach_new_image(loop));
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    detach(*state);
    free(*state);
    return 0;
}

static void assert_open(const char *path, enum fat_blkdev_mode mode, fat_err want)
{
    struct fat_blkdev *dev = NULL;

    /* udev may hold its lock for a moment after an attach or a close. */
    assert_int_equal(
            fat_blkdev_file_open(path, mode, want == FAT_OK ? 5000 : 0, &dev), want);
    fat_blkdev_close(dev);
}

static void a_block_device_has_its_size_and_its_sector_size(void **state)
{
    struct loop *loop = *state;
    struct fat_blkdev *dev = NULL;
    char got[4] = "";

    assert_int_equal(
            fat_blkdev_file_open(loop->path, FAT_BLKDEV_WRITE, 5000, &dev), FAT_OK);
    assert_int_equal(dev->size_bytes, SIZE);
    assert_int_equal(dev->block_bytes, 4096);
    assert_int_equal(dev->ops->write(dev, 5000, "abc", 4), FAT_OK);
    assert_int_equal(dev->ops->flush(dev), FAT_OK);
    assert_int_equal(dev->ops->read(dev, 5000, got, 4), FAT_OK);
    assert_string_equal(got, "abc");
    assert_int_equal(dev->ops->read(dev, SIZE, got, 1), FAT_E_RANGE);
    fat_blkdev_close(dev);
}

static void a_claimed_block_device_can_be_had_only_as_held(void **state)
{
    struct loop *loop = *state;
    const int claim = open(loop->path, O_RDONLY | O_EXCL | O_CLOEXEC);

    assert_true(claim >= 0);
    assert_open(loop->path, FAT_BLKDEV_WRITE, FAT_E_BUSY);
    assert_open(loop->path, FAT_BLKDEV_WRITE_HELD, FAT_OK);
    assert_open(loop->path, FAT_BLKDEV_READ, FAT_OK);
    (void)close(claim);
    assert_open(loop->path, FAT_BLKDEV_WRITE, FAT_OK);
}

static void a_writer_claims_the_block_device(void **state)
{
    struct loop *loop = *state;
    struct fat_blkdev *dev = NULL;

    assert_int_equal(
            fat_blkdev_file_open(loop->path, FAT_BLKDEV_WRITE, 5000, &dev), FAT_OK);
    assert_int_equal(open(loop->path, O_RDONLY | O_EXCL | O_CLOEXEC), -1);
    assert_int_equal(errno, EBUSY);
    fat_blkdev_close(dev);
}

/* Let go of the claim after a little while. */
static void *release_claim(void *context)
{
    const int *claim = context;

    (void)nanosleep(&(struct timespec){.tv_nsec = 100 * 1000000L}, NULL);
    (void)close(*claim);
    return NULL;
}

static void a_claim_is_waited_for_as_a_lock_is(void **state)
{
    struct loop *loop = *state;
    int claim = open(loop->path, O_RDONLY | O_EXCL | O_CLOEXEC);
    struct fat_blkdev *dev = NULL;
    pthread_t thread;

    assert_true(claim >= 0);
    assert_int_equal(
            fat_blkdev_file_open(loop->path, FAT_BLKDEV_WRITE, 50, &dev), FAT_E_BUSY);
    assert_null(dev);
    assert_int_equal(pthread_create(&thread, NULL, release_claim, &claim), 0);
    assert_open(loop->path, FAT_BLKDEV_WRITE, FAT_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void a_block_device_set_read_only_can_only_be_read(void **state)
{
    struct loop *loop = *state;
    const int on = 1;

    assert_int_equal(ioctl(loop->fd, BLKROSET, &on), 0);
    assert_open(loop->path, FAT_BLKDEV_WRITE, FAT_E_READONLY);
    assert_open(loop->path, FAT_BLKDEV_WRITE_HELD, FAT_E_READONLY);
    assert_open(loop->path, FAT_BLKDEV_READ, FAT_OK);
}

static void a_block_device_set_read_only_while_open_refuses_writes(void **state)
{
    struct loop *loop = *state;
    const int on = 1;
    struct fat_blkdev *dev = NULL;

    assert_int_equal(
            fat_blkdev_file_open(loop->path, FAT_BLKDEV_WRITE, 5000, &dev), FAT_OK);
    assert_int_equal(ioctl(loop->fd, BLKROSET, &on), 0);
    assert_int_equal(dev->ops->write(dev, 0, "x", 1), FAT_E_READONLY);
    fat_blkdev_close(dev);
}

#define ON_A_LOOP_DEVICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            ON_A_LOOP_DEVICE(a_block_device_has_its_size_and_its_sector_size),
            ON_A_LOOP_DEVICE(a_claimed_block_device_can_be_had_only_as_held),
            ON_A_LOOP_DEVICE(a_claim_is_waited_for_as_a_lock_is),
            ON_A_LOOP_DEVICE(a_writer_claims_the_block_device),
            ON_A_LOOP_DEVICE(a_block_device_set_read_only_can_only_be_read),
            ON_A_LOOP_DEVICE(a_block_device_set_read_only_while_open_refuses_writes),
    };
    struct loop loop = {0};
    const bool is_possible = attach_new_image(&loop);

    detach(&loop);
    if (!is_possible) {
        print_message("skipped: no loop device to be had here\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
