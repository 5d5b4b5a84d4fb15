/* SPDX-License-Identifier: MIT */
/*
 * FAT's dates and times and seconds since 1970: MSFAT 6.4 (date, time, tenths).
 * Pure. 2100 is not a leap year.
 */
#ifndef FAT_BASE_FATTIME_H
#define FAT_BASE_FATTIME_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/time.h>

/* The three fields of a stamp; where a stamp has no time or hundredths, they are 0. */
struct fat_stamp {
    uint16_t date;      /* day 0..4, month 5..8, year - 1980 9..15           */
    uint16_t time;      /* seconds / 2 0..4, minutes 5..10, hours 11..15     */
    uint8_t hundredths; /* 0..199, of creation only                    [10 ms] */
};

/*
 * The moment of a stamp. Nothing is refused: date 0 means unset and gives
 * 1980-01-01, day or month 0 count as 1, other fields beyond their range are
 * brought back into it (the seconds field 30 and 31 to 58 s, hour 24 up to 23).
 *
 * @utc_offset   local time on disk minus UTC; this is subtracted   [minutes]
 */
struct fat_time fat_stamp_decode(struct fat_stamp stamp, int utc_offset);

/*
 * The stamp of a moment, rounded down to 10 ms (the odd second goes into
 * @hundredths) and clamped to 1980-01-01 00:00:00 .. 2107-12-31 23:59:59.99.
 */
struct fat_stamp fat_stamp_encode(struct fat_time time, int utc_offset);

/* False for a stamp that no calendar has; date 0 with time 0 is valid (unset). */
bool fat_stamp_is_valid(struct fat_stamp stamp);

#endif
