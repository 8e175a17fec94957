/* SPDX-License-Identifier: BSL-1.0
 *
 * fgets, because picolibc 1.8's loses a last line that has no newline: it
 * answers NULL at the end of the file whatever it has read.
 */
#include <stdio.h>

char *fgets(char *restrict line, int room, FILE *restrict f)
{
    int used = 0;
    int c = 0;

    if (room <= 0) {
        return NULL;
    }
    while (c != '\n' && used < room - 1) {
        c = getc(f);
        if (c == EOF) {
            break;
        }
        line[used++] = (char)c;
    }
    if (c == EOF && (used == 0 || ferror(f))) {
        return NULL;
    }
    line[used] = '\0';
    return line;
}
