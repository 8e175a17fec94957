/* SPDX-License-Identifier: BSL-1.0 */
/* The file server's surroundings; the contract is in files_server.h. */
#include "files_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../../apps/fileserver/block.h"
#include "../../apps/fileserver/counter.h"

int files_main(void);
#define main files_main
#include "../../apps/fileserver/main.c"
#undef main

#define CARD_BYTES (16u << 20)

const struct server_ops *server;
static int count, failures;

void check(int good, const char *what)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
    failures += !good;
}

/* For what is not the point of a test: no line unless it fails. */
void require(int good, const char *what)
{
    if (!good) {
        check(0, what);
    }
}

/* ---- what the server stands on ----------------------------------------- */

static uint8_t card[CARD_BYTES];
int card_error; /* what the block service answers */
bool card_protected;
static uint64_t card_id = 1;
char log_text[4096];
uint64_t clock_ticks;
static struct start_info self = {.id = 3};
struct start_info *start_self = &self;
static struct sys_domain domains[16];
static int domain_count;

int block_info(struct block_facts *out)
{
    *out = (struct block_facts){CARD_BYTES / 512, card_protected, card_id};
    return card_error;
}

int block_read(uint64_t sector, uint32_t n, void *to)
{
    if (card_error == 0) {
        memcpy(to, &card[sector * 512], n * 512);
    }
    return card_error;
}

int block_write(uint64_t sector, uint32_t n, const void *from)
{
    if (card_error == 0) {
        memcpy(&card[sector * 512], from, n * 512);
    }
    return card_error;
}

int block_flush(void)
{
    return card_error;
}

void block_lender(const struct server_client *c)
{
    (void)c;
}

/* Links have the numbers 1 to LINKS. */
static struct link links[LINKS];
unsigned links_used;
int link_error;

struct link *link_of(uint64_t id)
{
    require(id >= 1 && id <= LINKS && links[id - 1].ring != NULL, "a link");
    return &links[id - 1];
}

static int link_make(uint64_t w[8])
{
    uint64_t i = 0;

    while (i < LINKS && links[i].ring != NULL) {
        i++;
    }
    if (link_error != 0 || i == LINKS) {
        return link_error != 0 ? link_error : ENFILE;
    }
    links[i] = (struct link){.ring = calloc(w[1], PAGE_BYTES)};
    links[i].ring->magic = CHANNEL_MAGIC;
    links_used++;
    w[1] = (uint64_t)(uintptr_t)links[i].ring;
    w[2] = PIPE_PAGES * PAGE_BYTES;
    w[3] = i + 1;
    return 0;
}

static int link_call(uint64_t w[8])
{
    struct link *l = w[0] == ROOT_LINK_MAKE ? NULL : link_of(w[1]);

    if (l == NULL) {
        return link_make(w);
    }
    if (w[0] == ROOT_LINK_ALLOW) {
        require(w[2] < 2, "an end");
        l->allowed[w[2]] = w[3];
        l->told[!w[2]]++;
    } else {
        require(w[0] == ROOT_LINK_FREE, "what a server may ask for");
        free(l->ring);
        l->ring = NULL;
        links_used--;
    }
    return 0;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    (void)loan;
    if (w[0] == ROOT_LOG) {
        size_t length = strlen(log_text);

        if (length + w[1] < sizeof log_text) {
            memcpy(log_text + length, &w[2], w[1]);
            log_text[length + w[1]] = 0;
        }
    } else if (w[0] == ROOT_WALL) {
        w[1] = UINT64_C(1767225600) * 1000000000;
    } else if (w[0] >= ROOT_LINK_MAKE && w[0] <= ROOT_LINK_OPEN) {
        return link_call(w);
    }
    return 0;
}

uint64_t time_ns(void)
{
    return 0;
}

uint64_t counter_now(void)
{
    return clock_ticks;
}

uint64_t counter_hz(void)
{
    return 1000;
}

int sys_domains(struct sys_domain *out, size_t max)
{
    size_t n = (size_t)domain_count < max ? (size_t)domain_count : max;

    memcpy(out, domains, n * sizeof *out);
    return (int)n;
}

struct sys_domain *domain_add(uint32_t id, uint32_t parent)
{
    domains[domain_count] =
        (struct sys_domain){.id = id, .parent = parent, .state = SYS_READY};
    return &domains[domain_count++];
}

/* ---- clients ------------------------------------------------------------ */

void server_complete(struct server_client *c, uint32_t id, int error,
                     uint64_t v0, uint64_t v1, uint64_t v2)
{
    struct client *own = (struct client *)c;

    if (id >= ANSWERS || own->answers[id].came) {
        check(0, "one answer for each request");
        return;
    }
    own->answers[id].came = true;
    own->answers[id].error = error;
    own->answers[id].value[0] = v0;
    own->answers[id].value[1] = v1;
    own->answers[id].value[2] = v2;
}

void client_start(struct client *own, uint32_t domain)
{
    memset(own, 0, sizeof *own);
    own->c.domain = domain;
    own->c.id = domain + 1000;
    require(server->connect(&own->c) == 0, "a client connects");
}

/* Submit; returns the id. data lies at `offset` of the data area. */
uint32_t submit(struct client *own, struct channel_request r, uint32_t offset,
                uint32_t bytes)
{
    r.id = own->next_id++ % ANSWERS;
    r.bytes = bytes;
    own->answers[r.id].came = false;
    server->request(&own->c, &r, bytes > 0 ? own->data + offset : NULL);
    return r.id;
}

bool came(struct client *own, uint32_t id)
{
    return own->answers[id].came;
}

/* A request that is answered at once; -1: it was not. value[0] to *value. */
int call(struct client *own, struct channel_request r, uint32_t bytes,
         uint64_t *value)
{
    uint32_t id = submit(own, r, 0, bytes);

    if (value != NULL) {
        *value = own->answers[id].value[0];
    }
    return came(own, id) ? own->answers[id].error : -1;
}

int call_path(struct client *own, uint32_t op, const char *path, uint64_t arg,
              uint64_t *value)
{
    struct channel_request r = {.op = op, .arg = {arg}};

    strcpy(own->data, path);
    return call(own, r, (uint32_t)strlen(path) + 1, value);
}

int call_open(struct client *own, const char *path, int flags, uint64_t *handle)
{
    return call_path(own, FILE_OPEN, path, (uint64_t)flags, handle);
}

int call_handle(struct client *own, uint32_t op, uint64_t handle, uint64_t arg,
                uint64_t *value)
{
    struct channel_request r = {.op = op, .handle = handle, .arg = {arg}};

    return call(own, r, 0, value);
}

int call_write(struct client *own, uint64_t handle, const char *text)
{
    struct channel_request r = {.op = FILE_WRITE,
                                .handle = handle,
                                .arg = {OWN}};
    uint64_t done;
    int error;

    strcpy(own->data, text);
    error = call(own, r, (uint32_t)strlen(text), &done);
    return error == 0 && done != strlen(text) ? -2 : error;
}

/* 0 if the read gives exactly this text. */
int call_read(struct client *own, uint64_t handle, uint64_t offset,
              const char *text)
{
    struct channel_request r = {.op = FILE_READ,
                                .handle = handle,
                                .arg = {offset}};
    uint64_t done;
    int error = call(own, r, 1000, &done);

    if (error == 0 &&
        (done != strlen(text) || memcmp(own->data, text, strlen(text)) != 0)) {
        return -2;
    }
    return error;
}

bool card_format(void)
{
    char name[] = "/tmp/files_test_XXXXXX", command[100];
    int fd = mkstemp(name);
    bool good;

    if (fd < 0 || ftruncate(fd, CARD_BYTES) != 0) {
        return false;
    }
    snprintf(command, sizeof command,
             "PATH=$PATH:/sbin:/usr/sbin mkfs.fat -F 16 %s >/dev/null", name);
    good = system(command) == 0 &&
           pread(fd, card, CARD_BYTES, 0) == (ssize_t)CARD_BYTES;
    close(fd);
    unlink(name);
    return good;
}

/* The highest bit of the FAT16's second entry, behind the reserved sectors. */
bool card_in_use(void)
{
    size_t fat = (card[14] | (size_t)card[15] << 8) * 512;

    return (card[fat + 3] & 0x80) == 0;
}

void time_pass(void)
{
    clock_ticks = server->deadline();
    server->events(0);
}

int check_end(void)
{
    printf("1..%d\n", count);
    return failures != 0;
}

_Noreturn void server_run(const struct server_ops *from)
{
    server = from;
    exit(tests_run());
}

int main(void)
{
    return files_main();
}
