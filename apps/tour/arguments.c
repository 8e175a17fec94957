/* SPDX-License-Identifier: BSL-1.0
 *
 * Arguments, environment, and the exit status that the parent sees.
 */
#include "tour.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The compiler must not see that reading there is wrong. */
static volatile uintptr_t null_address;

/* doc: arguments */
static int words_print(int argc, char **argv)
{
    const char *separator = getenv("SEPARATOR");

    if (argc == 0) {
        fprintf(stderr, "usage: words WORD ...\n");
        return 2;
    }
    for (int i = 0; i < argc; i++) {
        printf("%s%s", i > 0 && separator != NULL ? separator : "", argv[i]);
    }
    printf("\n");
    return 0;
}
/* end */

/* doc: missing */
static bool link_is_missing(void)
{
    return link("/config.txt", TOUR_FOLDER "/hard-link") == -1 &&
           errno == ENOSYS;
}
/* end */

int tour_child(int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "words") == 0) {
        return words_print(argc - 1, argv + 1);
    }
    if (argc > 1 && strcmp(argv[0], "exit") == 0) {
        return atoi(argv[1]);
    }
    if (argc > 0 && strcmp(argv[0], "sleep") == 0) {
        return sleep(60) == 0 ? 0 : 1;
    }
    if (argc > 0 && strcmp(argv[0], "crash") == 0) {
        return *(volatile int *)null_address;
    }
    return 2;
}

void tour_arguments(void)
{
    char folder[64];

    setenv("SEPARATOR", ", ", 1);
    tour_check(words_print(0, NULL) == 2, "a usage error has status 2");
    tour_check(getenv("NEVER_SET") == NULL, "no such variable");
    tour_check(getcwd(folder, sizeof(folder)) != NULL && folder[0] == '/',
               "the working directory is inherited");
    tour_check(link_is_missing(), "what is not implemented says so: ENOSYS");
}
