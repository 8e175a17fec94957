/* SPDX-License-Identifier: BSL-1.0
 *
 * A reader of the few lines of abi.toml that matter here: `names` of errors,
 * then `nr` and `errors` of each system call. Entries are on lines of their
 * own.
 */
#include "kernel_abi.h"

#include <stdlib.h>
#include <string.h>

#include "kernel_host.h"

static char names[ERR_COUNT][16];
static char calls[SYS_COUNT][32];
static uint32_t promised[SYS_COUNT], seen[SYS_COUNT]; /* bit: error */
static bool loaded;

static uint32_t error_named(const char *name, size_t length)
{
    for (uint32_t i = 0; i < ERR_COUNT; i++) {
        if (strlen(names[i]) == length &&
            strncmp(names[i], name, length) == 0) {
            return i;
        }
    }
    host_fail("abi.toml: no error is called %.*s", (int)length, name);
}

static void read_errors(uint32_t nr, const char *p)
{
    for (p = strchr(p, '"'); p != NULL; p = strchr(p, '"')) {
        size_t length = strcspn(p + 1, "\"");
        promised[nr] |= 1u << error_named(p + 1, length);
        p += length + 2;
    }
}

static void read_line(const char *line)
{
    static char name[32];
    static uint32_t count, nr;
    static bool in_errors;
    if (strncmp(line, "[[", 2) == 0) {
        in_errors = strncmp(line, "[[error]]", 9) == 0;
    } else if (in_errors && strncmp(line, "  [\"", 4) == 0 &&
               count < ERR_COUNT) {
        sscanf(line, "  [\"%15[^\"]", names[count++]);
    } else if (sscanf(line, "name = \"%31[^\"]", name) == 1) {
        return;
    } else if (sscanf(line, "nr = %u", &nr) == 1) {
        if (nr >= SYS_COUNT) {
            host_fail("abi.toml: system call %u", nr);
        }
        strcpy(calls[nr], name);
        promised[nr] |= 1u << ERR_OK;
    } else if (strncmp(line, "errors = [", 10) == 0) {
        read_errors(nr, line);
    }
}

static void load(void)
{
    FILE *file = fopen("kernel/abi/abi.toml", "r");
    char line[1024];
    if (file == NULL) {
        host_fail("kernel/abi/abi.toml: not found; run in the repository");
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        read_line(line);
    }
    fclose(file);
    loaded = true;
}

void abi_note(uint32_t nr, uint32_t error)
{
    if (!loaded) {
        load();
    }
    if (nr >= SYS_COUNT) {
        return;
    }
    error = error < ERR_COUNT ? error : ERR_OK; /* the context was replaced */
    if ((promised[nr] >> error & 1u) == 0) {
        host_fail("%s: ERR_%s is not promised in abi.toml", calls[nr],
                  names[error]);
    }
    seen[nr] |= 1u << error;
}

const char *abi_call_name(uint32_t nr)
{
    return nr < SYS_COUNT ? calls[nr] : "no such call";
}

const char *abi_error_name(uint32_t error)
{
    return error < ERR_COUNT ? names[error] : "unknown";
}

uint32_t abi_unseen(uint32_t first, uint32_t last)
{
    uint32_t n = 0;
    for (uint32_t i = first; i <= last && i < SYS_COUNT; i++) {
        for (uint32_t e = 1; e < ERR_COUNT; e++) {
            if (promised[i] & ~seen[i] & 1u << e) {
                printf("# %s: ERR_%s is promised but was not seen\n", calls[i],
                       names[e]);
                n++;
            }
        }
    }
    return n;
}

uint32_t abi_successes(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < SYS_COUNT; i++) {
        n += seen[i] & 1u;
        if (!(seen[i] & 1u)) {
            printf("# %s never succeeded\n", calls[i]);
        }
    }
    return n;
}
