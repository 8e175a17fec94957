/* SPDX-License-Identifier: BSL-1.0
 *
 * A server that is lent memory and reads it once more when its call is over,
 * which is a mistake.
 *
 *   borrower CLIENT SLOT [keep]
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <abi/calls.h>
#include <vesper/root_call.h>

#include "tests/lending/gate.h"

#define STACK_BYTES 4096u

static uint8_t stack[STACK_BYTES] __attribute__((aligned(16)));
static const volatile uint64_t *letter; /* that was lent last */
static bool keeps;

void called_entry(void);
void called(uint64_t w[8]);

/* On the caller's time, masked: the sum of w[1] words at w[0]. */
void called(uint64_t w[8])
{
    uint64_t sum = 0;
    letter = (const uint64_t *)w[0];
    for (uint64_t i = 0; i < w[1]; i++) {
        sum += letter[i];
    }
    while (keeps) {
        (void)letter[0];
    }
    w[0] = sum;
}

int main(int argc, char **argv)
{
    char byte;
    if (argc < 3) {
        return 2;
    }
    uint64_t w[8] = {ROOT_GATE, strtoull(argv[1], NULL, 10),
                     strtoull(argv[2], NULL, 10)};
    keeps = argc > 3;
    (void)sys_call_accept((uintptr_t)called_entry,
                          (uintptr_t)stack + sizeof(stack), 0);
    int error = root_call(w, 0);
    if (error != 0) {
        printf("borrower: no gate, error %d\n", error);
        return 1;
    }
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return (int)letter[1];
}
