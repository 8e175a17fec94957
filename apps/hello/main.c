/* SPDX-License-Identifier: BSL-1.0 */
/* The smallest program: copy this folder to start one of your own. */
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("Hello from a Vesper program.\n");
    for (int i = 1; i < argc; i++) {
        printf("argument %d: %s\n", i, argv[i]);
    }
    return 0;
}
