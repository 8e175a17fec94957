/* SPDX-License-Identifier: BSL-1.0 */
/*
 * clock.c - Unix seconds to and from FAT date and time words
 *
 * FAT keeps local time without a zone; this system keeps UTC. The calendar
 * is counted in days from 1 March 0000, so that the leap day comes last.
 */
#include "private.h"

#define DAY_SECONDS 86400
#define FAT_EPOCH   315532800LL  /* 1980-01-01 00:00:00 UTC */
#define FAT_LAST    4354819198LL /* 2107-12-31 23:59:58 UTC */

void fat_clock_pack(int64_t seconds, uint8_t *time, uint8_t *date)
{
    int64_t s = seconds < FAT_EPOCH  ? FAT_EPOCH
                : seconds > FAT_LAST ? FAT_LAST
                                     : seconds;
    uint32_t of_day = (uint32_t)(s % DAY_SECONDS);
    uint32_t days = (uint32_t)(s / DAY_SECONDS) + 719468; /* from 0000-03-01 */
    uint32_t era = days / 146097;
    uint32_t doe = days % 146097;
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153; /* months from March */
    uint32_t day = doy - (153 * mp + 2) / 5 + 1;
    uint32_t month = mp < 10 ? mp + 3 : mp - 9;
    uint32_t year = era * 400 + yoe + (month <= 2);

    put16(time,
          (of_day / 3600) << 11 | (of_day / 60 % 60) << 5 | (of_day % 60) / 2);
    put16(date, (year - 1980) << 9 | month << 5 | day);
}

int64_t fat_clock_unpack(uint32_t time, uint32_t date)
{
    int64_t year = 1980 + (date >> 9 & 127);
    int64_t month = date >> 5 & 15;
    int64_t day = date & 31;
    int64_t y;
    int64_t doy;

    if (month < 1 || month > 12 || day < 1) {
        return FAT_EPOCH; /* never set, or junk */
    }
    y = month <= 2 ? year - 1 : year;
    doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return ((y / 400) * 146097 + (y % 400) * 365 + (y % 400) / 4 -
            (y % 400) / 100 + doy - 719468) *
               DAY_SECONDS +
           (time >> 11 & 31) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2;
}
