/* SPDX-License-Identifier: BSL-1.0
 *
 * Calls to the root server, and what is said through them on the console.
 */
#include <vesper/root_call.h>

#include <errno.h>
#include <stddef.h>

#include <vesper/call.h>
#include <vesper/root.h>
#include <vesper/start.h>

#include "log.h"
#include "text.h"

int root_call(uint64_t w[8], uint64_t loan)
{
    uint64_t flags = loan != 0 ? CALL_LEND : 0;
    switch (call_endpoint(w, SLOT_ROOT | flags, 0, loan)) {
    case ERR_OK:
        return (int)w[0];
    case ERR_TIMEOUT:
        return ETIMEDOUT;
    case ERR_UNMAPPED:
    case ERR_RIGHTS:
        return loan != 0 ? EFAULT : EIO;
    case ERR_EMPTY:
    case ERR_PEER_DEAD:
        return EPIPE;
    default:
        return EIO;
    }
}

#define LOG_BYTES 48u /* of one ROOT_LOG */

/* Register by register: the words hold the text in memory order. */
void log_write(const char *text, size_t bytes)
{
    while (bytes > 0) {
        size_t part = bytes < LOG_BYTES ? bytes : LOG_BYTES;
        uint64_t w[8] = {ROOT_LOG, part};
        for (size_t i = 0; i < part; i++) {
            w[2 + i / 8] |= (uint64_t)(uint8_t)text[i] << i % 8 * 8;
        }
        (void)root_call(w, 0);
        text += part;
        bytes -= part;
    }
}

#define NAMES_MAX 32u

/* Names are literals, so the pointer tells them apart; two threads may both
 * say it once. */
int unimplemented(const char *name)
{
    static const char *said[NAMES_MAX];
    size_t i = 0;
    while (i < NAMES_MAX && said[i] != NULL && said[i] != name) {
        i++;
    }
    if (i < NAMES_MAX && said[i] == NULL) {
        said[i] = name;
        struct text line = {.length = 0};
        text_put(&line, "libos: ");
        text_put(&line, name);
        text_put(&line, " is not implemented\n");
        log_write(line.bytes, line.length);
    }
    errno = ENOSYS;
    return -1;
}
