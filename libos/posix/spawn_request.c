/* SPDX-License-Identifier: BSL-1.0
 *
 * See spawn_request.h. Layout: struct, strings, gap to a whole page, image.
 */
#include "spawn_request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

#define PAGE ((size_t)4096)

static bool in_one_stretch(const void *from, size_t bytes)
{
    uintptr_t first = (uintptr_t)from, last = first + bytes - 1;

    return (first ^ last) / STRETCH_BYTES == 0;
}

struct strings {
    size_t bytes;
    uint32_t count;
};

static struct strings strings_measure(char *const *list)
{
    struct strings s = {0, 0};

    while (list != NULL && list[s.count] != NULL) {
        s.bytes += strlen(list[s.count]) + 1;
        s.count++;
    }
    return s;
}

static char *string_put(char *to, const char *text)
{
    size_t bytes = strlen(text) + 1;

    memcpy(to, text, bytes);
    return to + bytes;
}

static char *strings_put(char *to, char *const *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        to = string_put(to, list[i]);
    }
    return to;
}

static size_t round_up(size_t bytes)
{
    return (bytes + PAGE - 1) & ~(PAGE - 1);
}

static int cwd_put(struct spawn_request *r)
{
    char cwd[PATH_BYTES];

    posix_cwd_copy(cwd);
    if (strlen(cwd) >= sizeof(r->cwd)) {
        return ENAMETOOLONG;
    }
    strcpy(r->cwd, cwd);
    return 0;
}

/* Without a program it is small, and need not have a stretch of its own: the
 * one that it is in is lent. */
static int message_take(size_t bytes, bool small, struct spawn_message *out)
{
    int error = 0;

    *out = (struct spawn_message){.bytes = bytes};
    if (small) {
        out->request = malloc(bytes);
        if (out->request != NULL && in_one_stretch(out->request, bytes)) {
            return 0;
        }
        free(out->request);
    }
    error = memory_run_take_uncleared(bytes, &out->run);
    out->request = out->run.address;
    return error;
}

int posix_spawn_message_create(const struct spawn_what *what,
                               struct spawn_message *out)
{
    struct strings argv = strings_measure(what->argv);
    struct strings envp = strings_measure(what->envp);
    size_t strings = strlen(what->path) + 1 + argv.bytes + envp.bytes;
    size_t image, bytes;
    struct spawn_request *r;
    int error;

    if (strings > MEMORY_RUN_MAX || what->image_bytes > MEMORY_RUN_MAX) {
        return E2BIG;
    }
    image = round_up(sizeof(*r) + strings);
    bytes = what->image_bytes == 0 ? sizeof(*r) + strings
                                   : image + what->image_bytes;
    if (bytes > MEMORY_RUN_MAX) {
        return E2BIG;
    }
    error = message_take(bytes, what->image_bytes == 0, out);
    if (error != 0) {
        return error;
    }
    r = out->request;
    *r = (struct spawn_request){
        .magic = SPAWN_MAGIC,
        .argc = argv.count,
        .envc = envp.count,
        .strings = sizeof(*r),
        .strings_bytes = (uint32_t)strings,
        .image = what->image_bytes == 0 ? 0 : image,
        .image_bytes = what->image_bytes,
        .flags = what->flags,
        .key = what->key,
    };
    error = cwd_put(r);
    if (error != 0) {
        posix_spawn_message_free(out);
        return error;
    }
    strings_put(strings_put(string_put((char *)(r + 1), what->path), what->argv,
                            argv.count),
                what->envp, envp.count);
    return 0;
}

void *posix_spawn_message_image(const struct spawn_message *m)
{
    return (char *)m->request + m->request->image;
}

void posix_spawn_message_free(struct spawn_message *m)
{
    if (m->run.address == NULL) {
        free(m->request);
    } else {
        memory_run_give(&m->run);
    }
}
