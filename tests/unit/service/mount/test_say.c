/* SPDX-License-Identifier: MIT */
#include "service/mount/say.h"

#include <errno.h>

#include "support/cmocka.h"

static void only_printable_ascii_comes_out(void **state)
{
    char got[64];

    (void)state;
    fat_say_escape("a ~\x7f\x1b[31m\n\xc3\xa9", got, sizeof(got));
    assert_string_equal("a ~\\x7f\\x1b[31m\\x0a\\xc3\\xa9", got);
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
    char got[10];

    (void)state;
    fat_say_escape("aaa\n\n\n", got, sizeof(got));
    assert_string_equal("aaa\\x0a", got);
    fat_say_escape("", got, 1);
    assert_string_equal("", got);
    fat_say_escape("a", got, 1);
    assert_string_equal("", got);
}

static void every_error_has_a_text(void **state)
{
    (void)state;
    assert_string_equal("No such file or directory", fat_error_text(ENOENT));
    assert_string_equal("unknown error", fat_error_text(999999));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(only_printable_ascii_comes_out),
            cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
            cmocka_unit_test(every_error_has_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
