/* SPDX-License-Identifier: MIT */
#include "base/fattime.h"

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { MS = 1000000 };

struct stamp_case {
    const char *name;
    struct fat_stamp stamp;
    int16_t utc_offset;
    int64_t seconds;
    uint32_t nanoseconds;
};

/* The values of the Linux kernel's own test, and some more edges. */
static const struct stamp_case both_ways[] = {
        {"the earliest moment", {33, 0, 0}, 0, 315532800, 0},
        {"the last even second", {65439, 49021, 0}, 0, 4354819198, 0},
        {"the last moment", {65439, 49021, 199}, 0, 4354819199, 990 * MS},
        {"the earliest, 11 hours east", {33, 0, 0}, 11 * 60, 315493200, 0},
        {"the latest, 11 hours west", {65439, 49021, 0}, -11 * 60, 4354858798, 0},
        {"leap day 1996", {8285, 0, 0}, 0, 825552000, 0},
        {"leap day 2000", {10333, 0, 0}, 0, 951782400, 0},
        {"1 March 2000", {10337, 0, 0}, 0, 951868800, 0},
        {"last of February 2100", {120 << 9 | 2 << 5 | 28, 0, 0}, 0, 4107456000, 0},
        {"1 March 2100, no leap day", {120 << 9 | 3 << 5 | 1, 0, 0}, 0, 4107542400, 0},
        {"1 January 2101", {121 << 9 | 33, 0, 0}, 0, 4133980800, 0},
        {"leap day 2104", {124 << 9 | 2 << 5 | 29, 0, 0}, 0, 4233686400, 0},
        {"past 2038", {58 << 9 | 1 << 5 | 19, 3 << 11 | 14 << 5 | 4, 0}, 0, 2147483648,
                0},
        {"an odd second", {10143, 49021, 100}, 0, 946684799, 0},
        {"ten milliseconds", {33, 0, 1}, 0, 315532800, 10 * MS},
        {"99 hundredths of an even second", {33, 0, 99}, 0, 315532800, 990 * MS},
};

static bool same_stamp(struct fat_stamp a, struct fat_stamp b)
{
    return a.date == b.date && a.time == b.time && a.hundredths == b.hundredths;
}

static void decode_gives_the_documented_moment(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both_ways); i++) {
        const struct stamp_case *c = &both_ways[i];
        const struct fat_time got = fat_stamp_decode(c->stamp, c->utc_offset);

        if (got.seconds != c->seconds || got.nanoseconds != c->nanoseconds) {
            fail_msg("%s: got %lld.%09u", c->name, (long long)got.seconds,
                    (unsigned)got.nanoseconds);
        }
    }
}

static void encode_gives_the_documented_stamp(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both_ways); i++) {
        const struct stamp_case *c = &both_ways[i];
        const struct fat_time time = {c->seconds, c->nanoseconds};
        const struct fat_stamp got = fat_stamp_encode(time, c->utc_offset);

        if (!same_stamp(got, c->stamp)) {
            fail_msg("%s: got %u %u %u", c->name, (unsigned)got.date,
                    (unsigned)got.time, (unsigned)got.hundredths);
        }
    }
}

/* What no calendar has is brought back to something that it has. */
static const struct stamp_case odd_stamps[] = {
        {"unset", {0, 0, 0}, 0, 315532800, 0},
        {"day 0", {1 << 5, 0, 0}, 0, 315532800, 0},
        {"month 0", {1, 0, 0}, 0, 315532800, 0},
        {"month 13 is December", {13 << 5 | 1, 0, 0}, 0, 344476800, 0},
        {"month 15 is December", {15 << 5 | 1, 0, 0}, 0, 344476800, 0},
        {"31 February 2000 is the 29th", {20 << 9 | 2 << 5 | 31, 0, 0}, 0, 951782400,
                0},
        {"29 February 2100 is the 28th", {120 << 9 | 2 << 5 | 29, 0, 0}, 0, 4107456000,
                0},
        {"seconds field 31 is 58", {33, 31, 0}, 0, 315532858, 0},
        {"minute 63 is 59", {33, 63 << 5, 0}, 0, 315532800 + 59 * 60, 0},
        {"hour 31 is 23", {33, 31 << 11, 0}, 0, 315532800 + 23 * 3600, 0},
        {"hundredths 255 are 199", {33, 0, 255}, 0, 315532801, 990 * MS},
        {"everything at its end", {0xffff, 0xffff, 255}, 0, 4354819199, 990 * MS},
};

static void decode_brings_odd_fields_back_into_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odd_stamps); i++) {
        const struct stamp_case *c = &odd_stamps[i];
        const struct fat_time got = fat_stamp_decode(c->stamp, c->utc_offset);

        if (got.seconds != c->seconds || got.nanoseconds != c->nanoseconds) {
            fail_msg("%s: got %lld.%09u", c->name, (long long)got.seconds,
                    (unsigned)got.nanoseconds);
        }
    }
}

static void validity_is_having_a_place_in_the_calendar(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both_ways); i++) {
        if (!fat_stamp_is_valid(both_ways[i].stamp)) {
            fail_msg("%s: is valid", both_ways[i].name);
        }
    }
    /* The first row is the unset stamp, which is valid. */
    assert_true(fat_stamp_is_valid(odd_stamps[0].stamp));
    for (size_t i = 1; i < COUNT(odd_stamps); i++) {
        if (fat_stamp_is_valid(odd_stamps[i].stamp)) {
            fail_msg("%s: isn't valid", odd_stamps[i].name);
        }
    }
    assert_false(fat_stamp_is_valid((struct fat_stamp){.date = 0, .time = 1}));
    assert_false(fat_stamp_is_valid((struct fat_stamp){.date = 4 << 5 | 31}));
}

static void encode_clamps_to_what_a_stamp_can_hold(void **state)
{
    static const struct fat_stamp earliest = {33, 0, 0};
    static const struct fat_stamp latest = {65439, 49021, 199};
    static const int offsets[] = {0, 720, -720, INT32_MAX, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < COUNT(offsets); i++) {
        const struct fat_time low = {INT64_MIN, 0}, high = {INT64_MAX, 999999999};

        assert_true(same_stamp(fat_stamp_encode(low, offsets[i]), earliest));
        assert_true(same_stamp(fat_stamp_encode(high, offsets[i]), latest));
    }
    assert_true(same_stamp(
            fat_stamp_encode((struct fat_time){315532799, 999999999}, 0), earliest));
    assert_true(
            same_stamp(fat_stamp_encode((struct fat_time){4354819200, 0}, 0), latest));
}

static void encode_rounds_down_to_ten_milliseconds(void **state)
{
    const struct fat_time time = {315532801, 19999999};

    (void)state;
    assert_int_equal(fat_stamp_encode(time, 0).hundredths, 101);
    /* Not a fraction at all; it must not spill into the next field. */
    assert_int_equal(
            fat_stamp_encode((struct fat_time){315532801, UINT32_MAX}, 0).hundredths,
            199);
}

static void every_date_survives_the_round_trip_and_follows_its_predecessor(void **state)
{
    int64_t expected = 315532800;
    unsigned days = 0;

    (void)state;
    for (unsigned date = 0; date <= UINT16_MAX; date++) {
        const struct fat_stamp stamp = {.date = (uint16_t)date, .time = 0xbf7d};
        struct fat_time time;

        if (!fat_stamp_is_valid(stamp)) {
            continue;
        }
        time = fat_stamp_decode(stamp, 0);
        assert_int_equal(time.seconds, expected + 86398);
        assert_true(same_stamp(fat_stamp_encode(time, 0), stamp));
        expected += 86400;
        days++;
    }
    assert_int_equal(days, 46751);
}

static void every_time_of_day_survives_the_round_trip(void **state)
{
    (void)state;
    for (unsigned time = 0; time <= UINT16_MAX; time++) {
        const struct fat_stamp stamp = {10333, (uint16_t)time, (uint8_t)(time % 200)};

        if (fat_stamp_is_valid(stamp)) {
            for (int offset = -720; offset <= 840; offset += 195) {
                assert_true(same_stamp(
                        fat_stamp_encode(fat_stamp_decode(stamp, offset), offset),
                        stamp));
            }
        }
    }
}

static void decoding_any_fields_gives_a_moment_that_encodes_validly(void **state)
{
    (void)state;
    for (unsigned value = 0; value <= UINT16_MAX; value++) {
        const struct fat_stamp stamp = {
                (uint16_t)value, (uint16_t)(value * 40503U), (uint8_t)(value * 7U)};
        const struct fat_time time = fat_stamp_decode(stamp, 0);

        assert_in_range(time.seconds, 315532800, 4354819199);
        assert_true(fat_stamp_is_valid(fat_stamp_encode(time, 0)));
        /* An unset stamp comes back as the first day. */
        if (stamp.date != 0 && fat_stamp_is_valid(stamp)) {
            assert_true(same_stamp(fat_stamp_encode(time, 0), stamp));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(decode_gives_the_documented_moment),
            cmocka_unit_test(encode_gives_the_documented_stamp),
            cmocka_unit_test(decode_brings_odd_fields_back_into_range),
            cmocka_unit_test(validity_is_having_a_place_in_the_calendar),
            cmocka_unit_test(encode_clamps_to_what_a_stamp_can_hold),
            cmocka_unit_test(encode_rounds_down_to_ten_milliseconds),
            cmocka_unit_test(
                    every_date_survives_the_round_trip_and_follows_its_predecessor),
            cmocka_unit_test(every_time_of_day_survives_the_round_trip),
            cmocka_unit_test(decoding_any_fields_gives_a_moment_that_encodes_validly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
