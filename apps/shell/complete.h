/* SPDX-License-Identifier: BSL-1.0 */
/* What the word before the cursor could become. */
#pragma once

#include "../tools/names.h"

#include <stdbool.h>
#include <stddef.h>

struct completion {
    struct names names;  /* last components; a directory ends in '/' */
    size_t typed_bytes;  /* of each name, typed already */
    size_t common_bytes; /* of each name, equal in all */
};

/*
 * Finds the names that fit line[0..at): commands for the first word of a
 * command, else paths. False if nothing fits. Free with names_free().
 */
bool complete_find(struct completion *completion, const char *line, size_t at);

/* c has to stand behind a backslash to mean itself in a command. */
bool complete_is_special(char c);
