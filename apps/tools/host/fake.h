/* SPDX-License-Identifier: BSL-1.0 */
/* The small system of authority.c; used where the variable FAKE is set. */
#pragma once

#include <stddef.h>
#include <vesper/system.h>

int fake_domains(struct sys_domain *out, size_t max);
