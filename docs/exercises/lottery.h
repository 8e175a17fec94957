/* SPDX-License-Identifier: BSL-1.0 */
/* lottery.h - see lottery.c. */
#pragma once

#include <vesper/scheduler.h>

extern const struct scheduler_policy lottery;
