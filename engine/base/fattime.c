/* SPDX-License-Identifier: MIT */
/*
 * Days and seconds are counted from 1980-01-01. Plain arithmetic, because the C
 * library's own depends on the time zone of the process.
 */
#include "base/fattime.h"

enum {
    FIRST_YEAR = 1980,
    YEARS = 128, /* 1980 .. 2107 */
    YEAR_2100 = 2100 - FIRST_YEAR,
    DAY_SECONDS = 86400,
    NS_PER_UNIT = 10000000, /* of the hundredths field */
};

static const int64_t epoch = INT64_C(315532800); /* of 1980-01-01 */

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && year != YEAR_2100;
}

/* Days before the first of January of @year. */
static uint32_t days_before_year(unsigned year)
{
    return year * 365 + (year + 3) / 4 - (year > YEAR_2100 ? 1 : 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static unsigned within(unsigned value, unsigned low, unsigned high)
{
    if (value < low) {
        return low;
    }
    return value > high ? high : value;
}

static uint32_t days_of_date(uint16_t date)
{
    const unsigned year = date >> 9;
    const unsigned month = within(date >> 5 & 0xfU, 1, 12);
    const unsigned day = within(date & 0x1fU, 1, month_days(year, month));
    uint32_t days = days_before_year(year) + day - 1;

    for (unsigned m = 1; m < month; m++) {
        days += month_days(year, m);
    }
    return days;
}

static uint32_t seconds_of_time(uint16_t time)
{
    const unsigned hours = within(time >> 11, 0, 23);
    const unsigned minutes = within(time >> 5 & 0x3fU, 0, 59);
    const unsigned pairs = within(time & 0x1fU, 0, 29);

    return hours * 3600 + minutes * 60 + pairs * 2;
}

struct fat_time fat_stamp_decode(struct fat_stamp stamp, int utc_offset)
{
    const unsigned hundredths = within(stamp.hundredths, 0, 199);
    const int64_t local = epoch + (int64_t)days_of_date(stamp.date) * DAY_SECONDS +
                          seconds_of_time(stamp.time) + hundredths / 100;

    return (struct fat_time){
            .seconds = local - (int64_t)utc_offset * 60,
            .nanoseconds = (uint32_t)(hundredths % 100) * NS_PER_UNIT,
    };
}

static uint16_t date_of_days(uint32_t days)
{
    /* Never too late, and one year early at the most. */
    unsigned year = days / 366;
    unsigned month = 1;

    while (days >= days_before_year(year + 1)) {
        year++;
    }
    days -= days_before_year(year);
    while (days >= month_days(year, month)) {
        days -= month_days(year, month);
        month++;
    }
    return (uint16_t)(year << 9 | month << 5 | (days + 1));
}

struct fat_stamp fat_stamp_encode(struct fat_time time, int utc_offset)
{
    static const struct fat_stamp earliest = {.date = 1 << 5 | 1};
    static const struct fat_stamp latest = {
            .date = (YEARS - 1) << 9 | 12 << 5 | 31,
            .time = 23 << 11 | 59 << 5 | 29,
            .hundredths = 199,
    };
    /* Compared on the UTC side: no sum of the caller's numbers, no overflow. */
    const int64_t start = epoch - (int64_t)utc_offset * 60;
    const int64_t end = start + (int64_t)days_before_year(YEARS) * DAY_SECONDS;
    const uint32_t fraction = time.nanoseconds / NS_PER_UNIT;
    uint32_t days, seconds;

    if (time.seconds < start) {
        return earliest;
    }
    if (time.seconds >= end) {
        return latest;
    }
    days = (uint32_t)((time.seconds - start) / DAY_SECONDS);
    seconds = (uint32_t)((time.seconds - start) % DAY_SECONDS);
    return (struct fat_stamp){
            .date = date_of_days(days),
            .time = (uint16_t)(seconds / 3600 << 11 | seconds / 60 % 60 << 5 |
                               seconds % 60 / 2),
            .hundredths =
                    (uint8_t)(seconds % 2 * 100 + (fraction < 99 ? fraction : 99)),
    };
}

bool fat_stamp_is_valid(struct fat_stamp stamp)
{
    const unsigned month = stamp.date >> 5 & 0xfU;
    const unsigned day = stamp.date & 0x1fU;

    if (stamp.hundredths > 199) {
        return false;
    }
    if (stamp.date == 0) {
        return stamp.time == 0;
    }
    if (month < 1 || month > 12 || day < 1 ||
            day > month_days(stamp.date >> 9, month)) {
        return false;
    }
    return stamp.time >> 11 < 24 && (stamp.time >> 5 & 0x3f) < 60 &&
           (stamp.time & 0x1f) < 30;
}
