/* SPDX-License-Identifier: BSL-1.0
 *
 * Runs all topics, prints TAP and exits with 0 only if everything was right.
 */
#include "tour.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned checked, failed;

void tour_check(bool good, const char *name)
{
    checked++;
    failed += !good;
    printf("%sok %u - %s\n", good ? "" : "not ", checked, name);
}

static void run_topics(void)
{
    tour_arguments();
    tour_files();
    tour_folders();
    tour_memory();
    tour_time();
    tour_threads();
    tour_programs();
    tour_signals();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        return tour_child(argc - 2, argv + 2);
    }
    if (mkdir(TOUR_FOLDER, 0755) != 0 && errno != EEXIST) {
        printf("Bail out! %s: %s\n", TOUR_FOLDER, strerror(errno));
        return EXIT_FAILURE;
    }
    run_topics();
    tour_check(rmdir(TOUR_FOLDER) == 0, "nothing is left on the card");
    printf("1..%u\n", checked);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
