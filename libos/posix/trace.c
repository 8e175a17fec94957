/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/trace.h, as calls to the root server.
 */
#include <string.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/trace.h>

#include "result.h"

_Static_assert(sizeof(struct trace_record) == 4 * sizeof(uint64_t),
               "w1..w4 of an answer");

static int switch_to(enum trace_operation operation)
{
    uint64_t w[8] = {ROOT_TRACE, operation};

    return result(root_call(w, 0));
}

int trace_start(void)
{
    return switch_to(TRACE_START);
}

int trace_stop(void)
{
    return switch_to(TRACE_STOP);
}

int trace_status(struct trace_status *out)
{
    uint64_t w[8] = {ROOT_TRACE, TRACE_STATUS};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct trace_status){w[1] != 0, w[2], w[3], w[4], w[5]};
    }
    return result(error);
}

int trace_read(uint64_t number, struct trace_record *out)
{
    uint64_t w[8] = {ROOT_TRACE, TRACE_READ, number};
    int error = root_call(w, 0);

    if (error == 0) {
        memcpy(out, &w[1], sizeof(*out));
    }
    return result(error);
}
