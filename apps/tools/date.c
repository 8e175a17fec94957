/* SPDX-License-Identifier: BSL-1.0 */
/*
 * date and uptime. Time here is UTC: the machine knows no time zone. Years
 * 1980 to 2107 are what a FAT card can write down, so no others are set.
 */
#include "report.h"
#include "tools.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int date_print(const char *format)
{
    char text[128];
    time_t now = time(NULL);
    struct tm parts;

    if (now == (time_t)-1 || gmtime_r(&now, &parts) == NULL) {
        return report_errno("clock");
    }
    /* strftime() returns 0 for too long and for an empty result alike. */
    if (strftime(text, sizeof(text), format, &parts) == 0) {
        return report_cause(format, "not a format that gives 1-127 bytes");
    }
    puts(text);
    return 0;
}

/* One exact date and time; false if it is none or out of FAT's years. */
static bool date_parse(const char *text, time_t *out)
{
    struct tm parts = {0};
    struct tm check;
    char rest;

    if (sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d%c", &parts.tm_year, &parts.tm_mon,
               &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec,
               &rest) != 6) {
        return false;
    }
    if (parts.tm_year < 1980 || parts.tm_year > 2107) {
        return false;
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    check = parts;
    *out = timegm(&check);
    /* timegm() turns 31 April into 1 May: what changed was no real date. */
    return check.tm_mon == parts.tm_mon && check.tm_mday == parts.tm_mday &&
           check.tm_hour == parts.tm_hour && check.tm_min == parts.tm_min &&
           check.tm_sec == parts.tm_sec;
}

static int date_set(const char *text)
{
    struct timespec now = {0};

    if (!date_parse(text, &now.tv_sec)) {
        return report_cause(text, "not a time as \"YYYY-MM-DD HH:MM:SS\" "
                                  "from 1980 to 2107");
    }
    if (clock_settime(CLOCK_REALTIME, &now) != 0) {
        return report_errno("cannot set the clock");
    }
    return 0;
}

int tool_date(int argc, char **argv)
{
    if (argc == 1) {
        return date_print("%Y-%m-%d %H:%M:%S UTC");
    }
    if (argc == 2 && argv[1][0] == '+') {
        return date_print(argv[1] + 1);
    }
    if (argc == 3 && strcmp(argv[1], "-s") == 0) {
        return date_set(argv[2]);
    }
    return report_usage();
}

int tool_uptime(int argc, char **argv)
{
    struct timespec up;
    long long seconds;

    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    if (clock_gettime(CLOCK_MONOTONIC, &up) != 0) {
        return report_errno("clock");
    }
    seconds = up.tv_sec;
    fputs("up ", stdout);
    if (seconds >= 86400) {
        printf("%lld days ", seconds / 86400);
    }
    printf("%02lld:%02lld:%02lld\n", seconds / 3600 % 24, seconds / 60 % 60,
           seconds % 60);
    return 0;
}
