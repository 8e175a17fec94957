/* SPDX-License-Identifier: BSL-1.0 */
/* caps: the command line; the work is in caps_list.c, caps_why.c, caps_diff.c.
 */
#include "caps.h"
#include "owner.h"
#include "report.h"
#include "tools.h"

#include <string.h>

static int no_domain(const char *name)
{
    return report_cause(name, "no such domain (see ps)");
}

int tool_caps(int argc, char **argv)
{
    uint32_t domain;

    if (argc == 1) {
        return caps_all();
    }
    if (argc == 2 && strcmp(argv[1], "diff") == 0) {
        return caps_diff();
    }
    if (argc == 2 && strcmp(argv[1], "why") != 0) {
        return domain_parse(argv[1], &domain) ? caps_of(domain)
                                              : no_domain(argv[1]);
    }
    if (argc != 4 || strcmp(argv[1], "why") != 0) {
        return report_usage();
    }
    return domain_parse(argv[2], &domain) ? caps_why(domain, argv[3])
                                          : no_domain(argv[2]);
}
