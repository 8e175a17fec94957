/* SPDX-License-Identifier: BSL-1.0 */
/* reboot and poweroff: on success they do not return. */
#include "report.h"
#include "tools.h"

#include <vesper/system.h>

int tool_reboot(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    return sys_reboot() == 0 ? 0 : report_errno("cannot reboot");
}

int tool_poweroff(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    return sys_poweroff() == 0 ? 0 : report_errno("cannot power off");
}
