/* SPDX-License-Identifier: BSL-1.0
 *
 * A root server for a test: the system's, and one operation that makes its
 * caller a server of calls. The system's own lets programs call nobody but the
 * root server, so that none is lent anything.
 */
#include "tests/lending/gate.h"

#include <errno.h>

#include "rootserver/root.h"

static int make_gate(struct domain *d, const uint64_t w[8])
{
    const struct domain *client = domain_find((uint32_t)w[1]);
    cptr_t gate = domain_object(d, d->frames_end - 1); /* none came so far */
    if (client == NULL) {
        return ESRCH;
    }
    int e = domain_make(d, gate, TYPE_ENDPOINT, ENDPOINT_LOG2, 1, 0);
    if (e == 0 &&
        (sys_endpoint_bind(gate, domain_object(d, OBJECT_DISPATCHER)) ||
         sys_cap_copy(CPTR(client->cnode, w[2]), gate, RIGHT_CALL, d->id, 0))) {
        e = EIO;
    }
    return e;
}

void __real_serve(uint64_t w[8], uint64_t badge, uint64_t loan);
void __wrap_serve(uint64_t w[8], uint64_t badge, uint64_t loan);
void __wrap_serve(uint64_t w[8], uint64_t badge, uint64_t loan)
{
    struct domain *d = domain_find((uint32_t)badge);
    if (w[0] == ROOT_GATE && d != NULL) {
        w[0] = (uint64_t)make_gate(d, w);
    } else {
        __real_serve(w, badge, loan);
    }
}
