/* SPDX-License-Identifier: BSL-1.0
 *
 * The texts of the errors that picolibc's strerror does not know; it asks for
 * them through this hook, whose name and parameters are picolibc's.
 */
#include "error_text.h"

#include <errno.h>

void posix_error_text_keep(void)
{
}

char *_user_strerror(int number, int internal, int *error);

char *_user_strerror(int number, int internal, int *error)
{
    (void)internal;
    (void)error;
    switch (number) {
    case ENOMEDIUM:
        return "No card in the slot";
    case EMEDIUMTYPE:
        return "No file system that is understood on the card";
    case ESTALE:
        return "Its server ended; open it again";
    default:
        return "Unknown error";
    }
}
