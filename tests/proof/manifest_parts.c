/* SPDX-License-Identifier: BSL-1.0
 *
 * Two parts of the manifest's reader: a message of any strings and numbers, and
 * a number out of any word.
 */
#include <__fc_builtin.h>

#include "rootserver/manifest_error.c"
#include "rootserver/manifest_line.c"

enum { STRING_MAX = MANIFEST_LINE_MAX_BYTES + 1 };

static char string[STRING_MAX + 1];

static uint64_t any64(void)
{
    return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

static void message(struct manifest_error *error)
{
    manifest_error_set(error, 1, 1, PIECES(string, string, string, string));
    manifest_error_add_number(error, any64());
    manifest_error_add(error, string);
    manifest_error_add_number(error, any64());
}

int main(void)
{
    struct manifest_error error;
    uint64_t number;
    const char *end;

    Frama_C_make_unknown(string, sizeof(string));
#if !PLANT /* the planted bug: a string without an end */
    string[STRING_MAX] = '\0';
#endif
    message(&error);
    end = number_read(string, any64(), &number);
    if (end != NULL) {
        /*@ assert 0 <= end - (const char *)string <= STRING_MAX; */
        number++;
    }
    return 0;
}
