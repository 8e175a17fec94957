/* SPDX-License-Identifier: BSL-1.0 */
/* sleep: waits a number of seconds that may have a fraction. */
#include "report.h"
#include "tools.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <time.h>

enum { DIGITS_MAX = 9 }; /* over 31 years, and no overflow */

/* Decimal digits of text into *out; returns how many (0..DIGITS_MAX + 1). */
static int digits_parse(const char *text, long *out)
{
    int n = 0;

    *out = 0;
    while (n <= DIGITS_MAX && isdigit((unsigned char)text[n])) {
        *out = *out * 10 + (text[n] - '0');
        n++;
    }
    return n;
}

static bool seconds_parse(const char *text, struct timespec *out)
{
    long whole;
    long part = 0;
    int digits = digits_parse(text, &whole);
    int fraction = 0;

    if (digits > DIGITS_MAX) {
        return false;
    }
    text += digits;
    if (*text == '.') {
        fraction = digits_parse(++text, &part);
        text += fraction;
    }
    if (digits + fraction == 0 || fraction > DIGITS_MAX || *text != '\0') {
        return false;
    }
    for (int i = fraction; i < DIGITS_MAX; i++) {
        part *= 10;
    }
    out->tv_sec = whole;
    out->tv_nsec = part;
    return true;
}

int tool_sleep(int argc, char **argv)
{
    struct timespec left;

    if (argc != 2) {
        return report_usage();
    }
    if (!seconds_parse(argv[1], &left)) {
        return report_cause(argv[1], "not a number of seconds");
    }
    while (nanosleep(&left, &left) != 0) {
        if (errno != EINTR) {
            return report_errno("cannot sleep");
        }
    }
    return 0;
}
