/* SPDX-License-Identifier: MIT */
/*
 * "A commit has to come first" becomes "no room" only where nothing has happened since,
 * and room that another thread's commit has made is room. The other threads are played
 * by the operation itself, which holds no lock.
 */
#include <stdio.h>

#include "support/cmocka.h"
#include "support/image.h"
#include "volume/commit.h"

struct step {
    bool change;      /* somebody changes something ... */
    bool then_commit; /* ... and has it committed       */
    fat_err err;      /* what the operation says then   */
};

enum { STEPS_MAX = 8 };

struct play {
    struct image *img;
    const struct step *steps;
    unsigned done, names;
};

static void change(struct play *p)
{
    char name[13];

    (void)snprintf(name, sizeof(name), "F%02u", p->names++);
    image_touch(p->img->root, name);
}

static fat_err operation(void *context)
{
    struct play *p = context;
    const struct step *step = &p->steps[p->done];

    assert_true(p->done < STEPS_MAX);
    p->done++;
    if (step->change) {
        change(p);
    }
    if (step->then_commit) {
        assert_int_equal(fat_volume_commit(p->img->volume), FAT_OK);
    }
    return step->err;
}

static void a_commit_that_may_help_is_waited_for(void **state)
{
    static const struct {
        const char *name;
        struct step steps[STEPS_MAX];
        fat_err err;
        unsigned done;
    } rows[] = {
            {"done at once", {{.err = FAT_OK}}, FAT_OK, 1},
            {"one commit helps",
                    {{.change = true, .err = FAT_E_AGAIN}, {.err = FAT_OK}}, FAT_OK, 2},
            {"another one's commit came first, then there is another reason",
                    {{.change = true, .then_commit = true, .err = FAT_E_AGAIN},
                            {.change = true, .err = FAT_E_AGAIN}, {.err = FAT_OK}},
                    FAT_OK, 3},
            {"each time another one's commit came first",
                    {{.change = true, .then_commit = true, .err = FAT_E_AGAIN},
                            {.change = true, .then_commit = true, .err = FAT_E_AGAIN},
                            {.change = true, .then_commit = true, .err = FAT_E_AGAIN},
                            {.err = FAT_OK}},
                    FAT_OK, 4},
            {"another one's commit made room meanwhile",
                    {{.change = true, .then_commit = true, .err = FAT_E_NOSPC},
                            {.err = FAT_OK}},
                    FAT_OK, 2},
            {"room comes with the next commit",
                    {{.change = true, .err = FAT_E_NOSPC}, {.err = FAT_OK}}, FAT_OK, 2},
            {"nothing waits, and still it asks", {{.err = FAT_E_AGAIN}}, FAT_E_NOSPC,
                    1},
            {"it asks again after a commit, and nothing has happened",
                    {{.change = true, .err = FAT_E_AGAIN}, {.err = FAT_E_AGAIN}},
                    FAT_E_NOSPC, 2},
            {"no room, and nothing waits", {{.err = FAT_E_NOSPC}}, FAT_E_NOSPC, 1},
            {"no room however often others commit",
                    {{.change = true, .then_commit = true, .err = FAT_E_NOSPC},
                            {.change = true, .err = FAT_E_NOSPC},
                            {.change = true, .then_commit = true, .err = FAT_E_NOSPC},
                            {.change = true, .err = FAT_E_NOSPC},
                            {.change = true, .err = FAT_E_NOSPC}},
                    FAT_E_NOSPC, 5},
            {"another error", {{.change = true, .err = FAT_E_EXIST}}, FAT_E_EXIST, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image img;
        struct play p = {.img = &img, .steps = rows[i].steps};
        fat_err err;

        image_make(&img, &(struct image_spec){.type = 12, .clusters = 50});
        image_touch(img.root, "first"); /* MARK is behind us */
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        err = fat_commit_around(img.volume, operation, &p);
        if (err != rows[i].err || p.done != rows[i].done) {
            fail_msg("%s: %s after %u tries", rows[i].name, fat_err_text(err), p.done);
        }
        image_done(&img);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_commit_that_may_help_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
