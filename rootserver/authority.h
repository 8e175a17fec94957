/* SPDX-License-Identifier: BSL-1.0 */
/*
 * authority.h - what a manifest gives to whom, as a flat list of facts.
 *
 * Why: the build, the policy and `caps diff` ask the same questions, and must
 * not answer them by code of their own. Pure functions over struct manifest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vesper/root.h>

#include "manifest.h"

struct authority_fact {
    enum fact_kind kind;
    uint32_t domain, line; /* index in the manifest; line of its text, or 0 */
    uint64_t value, bytes; /* address and size; number; quota */
    const char *text;      /* name of domain, file or service; "" */
};

/* The fact of that index, in the order of the text; false: past the end. */
bool authority_fact(const struct manifest *manifest, uint32_t index,
                    struct authority_fact *out);

/* May the domain (index) connect to the service? The fact that says so. */
bool authority_may_connect(const struct manifest *manifest, uint32_t domain,
                           const char *service);
