/* SPDX-License-Identifier: BSL-1.0 */
/* seq: whole numbers from FIRST (1) to LAST by STEP (1), one a line. */
#include "number.h"
#include "report.h"
#include "tools.h"

#include <stdio.h>

static int sequence_print(long long first, long long step, long long last)
{
    long long value = first;

    while (step > 0 ? value <= last : value >= last) {
        if (printf("%lld\n", value) < 0) {
            return report_output();
        }
        if (__builtin_add_overflow(value, step, &value)) {
            break;
        }
    }
    return 0;
}

int tool_seq(int argc, char **argv)
{
    long long numbers[3];
    int count = argc - 1;

    if (count < 1 || count > 3) {
        return report_usage();
    }
    for (int i = 0; i < count; i++) {
        if (!number_parse(argv[i + 1], &numbers[i])) {
            return report_cause(argv[i + 1], "not a whole number");
        }
    }
    if (count == 1) {
        return sequence_print(1, 1, numbers[0]);
    }
    if (count == 2) {
        return sequence_print(numbers[0], 1, numbers[1]);
    }
    if (numbers[1] == 0) {
        return report_cause(argv[2], "the step must not be 0");
    }
    return sequence_print(numbers[0], numbers[1], numbers[2]);
}
