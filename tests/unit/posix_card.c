/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_card.c - the services `files` and `console` of posix_fake.h.
 */
#include "tests/unit/posix_card.h"

#include <errno.h>
#include <string.h>
#include <vesper/file.h>

#include "tests/unit/posix_fake.h"

enum { NODES = 80, HANDLES = 200, GRANT_BASE = 1000 };

struct node {
    char path[1100];
    uint8_t *data;
    size_t bytes;
};

struct handle {
    bool open;
    struct node *node; /* NULL: a pipe's end */
    uint64_t at;
    bool reader_gone;
};

static struct node nodes[NODES];
static struct handle handles[HANDLES];
static unsigned grants;
uint64_t fake_granted_to;

/* ---- the card ---- */

static struct node *node_find(const char *path)
{
    for (int i = 0; i < NODES; i++) {
        if (strcmp(nodes[i].path, path) == 0) {
            return &nodes[i];
        }
    }
    return NULL;
}

static bool is_directory(const struct node *n)
{
    return n->bytes == FAKE_DIRECTORY;
}

static struct node *node_add(const char *path, size_t bytes)
{
    struct node *n = node_find("");

    if (n == NULL) {
        abort();
    }
    strcpy(n->path, path);
    n->bytes = bytes;
    n->data = is_directory(n) ? NULL : calloc(1, bytes + 1);
    return n;
}

static void node_remove(struct node *n)
{
    free(n->data);
    memset(n, 0, sizeof(*n));
}

static void node_resize(struct node *n, size_t bytes)
{
    n->data = realloc(n->data, bytes + 1);
    if (bytes > n->bytes) {
        memset(n->data + n->bytes, 0, bytes - n->bytes);
    }
    n->bytes = bytes;
}

void fake_add(const char *path, const void *data, size_t bytes)
{
    struct node *n = node_add(path, bytes);

    if (!is_directory(n)) {
        memcpy(n->data, data, bytes);
    }
}

const void *fake_find(const char *path, size_t *bytes)
{
    struct node *n = node_find(path);

    if (n == NULL) {
        return NULL;
    }
    *bytes = n->bytes;
    return n->data;
}

void card_restart(void)
{
    memset(handles, 0, sizeof(handles));
    grants = 0;
}

void card_reset(void)
{
    for (int i = 0; i < NODES; i++) {
        node_remove(&nodes[i]);
    }
    card_restart();
    node_add("/", FAKE_DIRECTORY);
}

unsigned fake_handles(void)
{
    unsigned count = 0;

    for (int i = 1; i < HANDLES; i++) {
        count += handles[i].open;
    }
    return count;
}

unsigned fake_grants(void)
{
    return grants;
}

/* ---- the file service ---- */

static uint64_t handle_add(struct node *n)
{
    for (uint64_t i = 1; i < HANDLES; i++) {
        if (!handles[i].open) {
            handles[i] = (struct handle){.open = true, .node = n};
            return i;
        }
    }
    abort();
}

static struct handle *handle_find(uint64_t number)
{
    if (number == 0 || number >= HANDLES || !handles[number].open) {
        return NULL;
    }
    return &handles[number];
}

static int serve_open(const char *path, uint64_t flags, uint64_t *v)
{
    struct node *n = node_find(path);

    if (n == NULL && (flags & O_CREAT) != 0) {
        n = node_add(path, 0);
    }
    if (n == NULL) {
        return ENOENT;
    }
    if ((flags & O_DIRECTORY) != 0 && !is_directory(n)) {
        return ENOTDIR;
    }
    if ((flags & O_TRUNC) != 0) {
        node_resize(n, 0);
    }
    v[0] = handle_add(n);
    v[1] = is_directory(n) ? 0 : n->bytes;
    v[2] = is_directory(n) ? FILE_DIRECTORY : FILE_REGULAR;
    return 0;
}

static int serve_stat(const struct node *n, void *data)
{
    struct file_stat s = {.mode = 0644, .mtime = 12345, .inode = 7};

    if (n == NULL) {
        return ENOENT;
    }
    s.type = is_directory(n) ? FILE_DIRECTORY : FILE_REGULAR;
    s.size = is_directory(n) ? 0 : n->bytes;
    memcpy(data, &s, sizeof(s));
    return 0;
}

static int serve_fstat(const struct handle *h, void *data)
{
    struct file_stat s = {.type = FILE_PIPE_END};

    if (h->node != NULL) {
        return serve_stat(h->node, data);
    }
    memcpy(data, &s, sizeof(s));
    return 0;
}

static int serve_read(struct handle *h, const struct channel_request *r,
                      void *data, uint64_t *v)
{
    uint64_t at = r->arg[0] == ~0ull ? h->at : r->arg[0];
    size_t left;

    if (h->node == NULL || is_directory(h->node)) {
        return EISDIR;
    }
    left = at < h->node->bytes ? h->node->bytes - at : 0;
    v[0] = left < r->bytes ? left : r->bytes;
    memcpy(data, h->node->data + (left != 0 ? at : 0), v[0]);
    if (r->arg[0] == ~0ull) {
        h->at += v[0];
    }
    if (fake_trouble.lies) {
        v[0] = r->bytes + 1;
    }
    return 0;
}

static int serve_write(struct handle *h, const struct channel_request *r,
                       const void *data, uint64_t *v)
{
    uint64_t at = r->arg[0] == ~0ull ? h->at : r->arg[0];

    if (h->node == NULL) {
        v[0] = r->bytes;
        return h->reader_gone ? EPIPE : 0;
    }
    if (at + r->bytes > h->node->bytes) {
        node_resize(h->node, at + r->bytes);
    }
    memcpy(h->node->data + at, data, r->bytes);
    if (r->arg[0] == ~0ull) {
        h->at += r->bytes;
    }
    v[0] = fake_trouble.lies ? r->bytes + 1 : r->bytes;
    return 0;
}

static int serve_seek(struct handle *h, const struct channel_request *r,
                      uint64_t *v)
{
    int64_t base = r->arg[1] == SEEK_SET   ? 0
                   : r->arg[1] == SEEK_CUR ? (int64_t)h->at
                                           : (int64_t)h->node->bytes;

    if (base + (int64_t)r->arg[0] < 0) {
        return EINVAL;
    }
    h->at = (uint64_t)(base + (int64_t)r->arg[0]);
    v[0] = h->at;
    return 0;
}

/* The directory's position counts nodes. One entry a time: refilling counts. */
static int serve_readdir(struct handle *h, void *data, uint64_t *v)
{
    const char *directory = h->node->path;
    size_t skip = strlen(directory) + (strcmp(directory, "/") != 0);

    for (; h->at < NODES; h->at++) {
        struct node *n = &nodes[h->at];
        struct file_entry *e = data;

        if (strncmp(n->path, directory, skip - 1) != 0 ||
            strlen(n->path) <= skip || strchr(n->path + skip, '/') != NULL) {
            continue;
        }
        e->type = is_directory(n) ? FILE_DIRECTORY : FILE_REGULAR;
        e->name_bytes = (uint16_t)strlen(n->path + skip);
        strcpy(e->name, n->path + skip);
        e->entry_bytes = (uint16_t)((sizeof(*e) + e->name_bytes + 8) & ~7u);
        v[0] = e->entry_bytes;
        if (fake_trouble.bad_entries) {
            e->name_bytes = (uint16_t)(e->entry_bytes + 100);
        }
        h->at++;
        return 0;
    }
    return 0;
}

static int serve_rename(const char *from)
{
    struct node *n = node_find(from);

    if (n == NULL) {
        return ENOENT;
    }
    strcpy(n->path, from + strlen(from) + 1);
    return 0;
}

static int serve_remove(const char *path, bool directory)
{
    struct node *n = node_find(path);

    if (n == NULL) {
        return ENOENT;
    }
    if (is_directory(n) != directory) {
        return directory ? ENOTDIR : EISDIR;
    }
    node_remove(n);
    return 0;
}

static int serve_path(const struct channel_request *r, char *data, uint64_t *v)
{
    switch (r->op) {
    case FILE_OPEN:
        return serve_open(data, r->arg[0], v);
    case FILE_STAT:
        return serve_stat(node_find(data), data);
    case FILE_MKDIR:
        if (node_find(data) != NULL) {
            return EEXIST;
        }
        node_add(data, FAKE_DIRECTORY);
        return 0;
    case FILE_RMDIR:
    case FILE_UNLINK:
        return serve_remove(data, r->op == FILE_RMDIR);
    case FILE_RENAME:
        return serve_rename(data);
    case FILE_PIPE:
        v[0] = handle_add(NULL);
        v[1] = handle_add(NULL);
        return 0;
    case FILE_STAMP:
        v[0] = fake_stamp;
        return node_find(data) != NULL ? 0 : ENOENT;
    case FILE_STATFS:
        v[0] = 1 << 20;
        v[1] = 1 << 19;
        return 0;
    case FILE_GRANTED:
        fake_granted_to = r->arg[0];
        return 0;
    case FILE_UNGRANT:
        grants -= r->arg[0] >= GRANT_BASE;
        return 0;
    default:
        return ENOSYS;
    }
}

/* Closing the lower of a pipe's two numbers, the reader, is told to the other.
 */
static int serve_close(struct handle *h)
{
    h->open = false;
    if (h->node == NULL) {
        h[1].reader_gone = true;
    }
    return 0;
}

static int serve_handle(struct handle *h, const struct channel_request *r,
                        void *data, uint64_t *v)
{
    switch (r->op) {
    case FILE_CLOSE:
        return serve_close(h);
    case FILE_READ:
        return serve_read(h, r, data, v);
    case FILE_WRITE:
        return serve_write(h, r, data, v);
    case FILE_SEEK:
        return serve_seek(h, r, v);
    case FILE_FSTAT:
        return serve_fstat(h, data);
    case FILE_TRUNCATE:
        node_resize(h->node, r->arg[0]);
        return 0;
    case FILE_SYNC:
        return 0;
    case FILE_READDIR:
        return serve_readdir(h, data, v);
    case FILE_GRANT:
        grants++;
        v[0] = GRANT_BASE + r->handle;
        return 0;
    default:
        return ENOSYS;
    }
}

static int serve_console(const struct channel_request *r, void *data,
                         uint64_t *v)
{
    struct file_stat s = {.type = FILE_TTY};

    switch (r->op) {
    case FILE_WRITE:
        strncat(fake_console, data, r->bytes);
        v[0] = r->bytes;
        return 0;
    case FILE_FSTAT:
        memcpy(data, &s, sizeof(s));
        return 0;
    default:
        return ENOSYS;
    }
}

int card_serve(bool console, const struct channel_request *r, void *data,
               uint64_t *v)
{
    struct handle *h;

    if (console) {
        return r->handle == 0 ? serve_console(r, data, v) : EBADF;
    }
    if (r->handle == 0) {
        return serve_path(r, data, v);
    }
    h = handle_find(r->handle);
    return h != NULL ? serve_handle(h, r, data, v) : EBADF;
}
