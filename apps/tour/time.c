/* SPDX-License-Identifier: BSL-1.0
 *
 * Time: how long, how late, and what date.
 */
#include "tour.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* doc: clock */
static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t); /* no system call: a counter is read */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
/* end */

/* doc: sleep */
static int64_t nap(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    int64_t before = now_ms();

    nanosleep(&t, NULL); /* only the calling thread sleeps */
    return now_ms() - before;
}
/* end */

/* doc: date */
static void date_print(void)
{
    time_t now = time(NULL);
    struct tm utc;
    char text[32];

    gmtime_r(&now, &utc);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &utc);
    printf("# it is %s\n", text);
}
/* end */

void tour_time(void)
{
    int64_t took = nap(30);

    tour_check(took >= 30 && took < 5000, "sleep 30 ms");
    tour_check(time(NULL) > 1700000000, "the wall clock is past 2023");
    date_print();
}
