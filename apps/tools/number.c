/* SPDX-License-Identifier: BSL-1.0 */
/* Numbers from text; the contract is in number.h. */
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool number_parse(const char *text, long long *out)
{
    char *end;
    long long value;

    if (isspace((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0) {
        return false;
    }
    *out = value;
    return true;
}
