/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `files`: the FAT volume of the SD card, and pipes. One thread, so an
 * operation on the card is over before the next one starts; only reads and
 * writes of pipes wait, in pipe.c. Whatever is wrong with the card, the service
 * runs: operations that need the card say so, and it is looked for at the next
 * one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <vesper/channel.h>
#include <vesper/file.h>
#include <vesper/polls.h>
#include <vesper/start.h>
#include <vesper/waiting.h>

#include "block.h"
#include "counter.h"
#include "handle.h"
#include "open_file.h"
#include "pipe.h"
#include "requests.h"
#include "stamp.h"
#include "volume.h"

/* How often grants are checked that wait for a domain to take them. */
#define GRANTS_CHECKS_A_SECOND 10u
/* How long after a change the card is marked complete again; and how long after
 * that failed. */
#define SYNC_IDLE_S  1u
#define SYNC_RETRY_S 30u

static void answer(struct request *q, int error)
{
    server_complete(q->client, q->r->id, error, q->value[0], q->value[1],
                    q->value[2]);
}

/* ---- pipes ------------------------------------------------------------ */

static struct open_file *pipe_end_open(struct pipe *p, uint32_t flags)
{
    struct open_file *file = open_take();

    if (file != NULL) {
        file->kind = OPEN_PIPE;
        file->flags = flags;
        file->pipe = p;
    }
    return file;
}

static int pipe_end_create(struct request *q, struct pipe *p, uint32_t flags,
                           uint64_t *number)
{
    struct open_file *file = pipe_end_open(p, flags);
    int error;

    if (file == NULL) {
        pipe_close(p, flags == O_WRONLY ? PIPE_WRITING : PIPE_READING);
        return ENFILE;
    }
    error = handle_create(q->client, file, number);
    if (error != 0) {
        (void)open_release(file); /* closes the end */
    }
    return error;
}

static int request_pipe(struct request *q)
{
    struct pipe *p;
    int error = pipe_create(&p);

    if (error != 0) {
        return error;
    }
    error = pipe_end_create(q, p, O_RDONLY, &q->value[0]);
    if (error != 0) {
        pipe_close(p, PIPE_WRITING);
        return error;
    }
    error = pipe_end_create(q, p, O_WRONLY, &q->value[1]);
    if (error != 0) {
        (void)handle_close(q->client, q->value[0]);
    }
    return error;
}

/* True: this was a pipe's, and it answers itself. */
static bool pipe_transfer(struct request *q, struct open_file *file)
{
    bool writing = q->r->op == FILE_WRITE;

    if (file->kind != OPEN_PIPE ||
        (q->r->op != FILE_READ && q->r->op != FILE_WRITE)) {
        return false;
    }
    if (writing != (open_pipe_end(file) == PIPE_WRITING)) {
        answer(q, EBADF);
    } else if (q->data == NULL) {
        answer(q, q->r->bytes == 0 ? 0 : EFAULT);
    } else if (writing) {
        pipe_write(file->pipe, q->client, q->r, q->data);
    } else {
        pipe_read(file->pipe, q->client, q->r, q->data);
    }
    return true;
}

static int request_direct(struct request *q, struct open_file *file)
{
    enum pipe_end end = open_pipe_end(file);

    q->value[1] = end;
    if (file->kind != OPEN_PIPE) {
        return EINVAL;
    }
    if (q->r->arg[0] == 0) {
        pipe_indirect(file->pipe, end);
        return 0;
    }
    return file->refs == 1
               ? pipe_direct(file->pipe, end, q->client, &q->value[0])
               : EBUSY;
}

static int request_pump(struct open_file *file)
{
    if (file->kind != OPEN_PIPE) {
        return EINVAL;
    }
    pipe_pump(file->pipe);
    return 0;
}

/* ---- polling: only pipes make anybody wait ----------------------------- */

static uint32_t ready_of(struct server_client *c, uint64_t handle)
{
    struct open_file *file = handle_find(c, handle);

    if (file == NULL) {
        return READY_ERROR;
    }
    if (file->kind != OPEN_PIPE) {
        return READY_READ | READY_WRITE;
    }
    return pipe_ready(file->pipe, open_pipe_end(file));
}

static struct polls polls = {.ready = ready_of};

static void poll_cancel(struct server_client *c, uint32_t id)
{
    struct waiting *w = waiting_find(&polls.waiting, c, id);

    if (w != NULL) {
        waiting_answer(&polls.waiting, w, ECANCELED);
    }
}

static void pipes_tell(void)
{
    if (pipe_changed()) {
        polls_serve(&polls);
    }
}

/* ---- requests --------------------------------------------------------- */

static int file_request(struct request *q, struct open_file *file)
{
    if (open_is_stale(file)) {
        return EIO;
    }
    switch (q->r->op) {
    case FILE_READ:
        return request_read(q, file);
    case FILE_WRITE:
        return request_write(q, file);
    case FILE_SEEK:
        return request_seek(q, file);
    case FILE_FSTAT:
        return request_fstat(q, file);
    case FILE_TRUNCATE:
        return request_truncate(q, file);
    case FILE_SYNC:
        return request_sync(q, file);
    case FILE_READDIR:
        return request_readdir(q, file);
    case FILE_DIRECT:
        return request_direct(q, file);
    case FILE_PUMP:
        return request_pump(file);
    default:
        return ENOSYS;
    }
}

/* What names an open file. Handle 0 is none, but syncing it syncs all. */
static void handle_request(struct request *q)
{
    struct open_file *file;

    if (q->r->op == FILE_SYNC && q->r->handle == 0) {
        answer(q, volume_sync());
        return;
    }
    file = handle_find(q->client, q->r->handle);
    if (file == NULL) {
        answer(q, EBADF);
    } else if (!pipe_transfer(q, file)) {
        answer(q, file_request(q, file));
    }
}

static int request_grant(struct request *q)
{
    uint64_t domain = q->r->arg[0];

    if (domain > UINT32_MAX) {
        return ESRCH;
    }
    return handle_grant(q->client, q->r->handle, (uint32_t)domain,
                        &q->value[0]);
}

static int request_granted(struct request *q)
{
    uint64_t domain = q->r->arg[0];

    if (domain == 0 || domain > UINT32_MAX) {
        return ESRCH;
    }
    handles_granted(q->client, (uint32_t)domain);
    return 0;
}

static void files_request(struct server_client *c,
                          const struct channel_request *r, void *data)
{
    struct request q = {.client = c, .r = r, .data = data};

    block_lender(c);
    switch (r->op) {
    case FILE_OPEN:
        answer(&q, request_open(&q));
        break;
    case FILE_CLOSE:
        answer(&q, handle_close(c, r->handle));
        break;
    case FILE_STAT:
        answer(&q, request_stat(&q));
        break;
    case FILE_STAMP:
        answer(&q, request_stamp(&q));
        break;
    case FILE_MKDIR:
        answer(&q, request_mkdir(&q));
        break;
    case FILE_RMDIR:
        answer(&q, request_rmdir(&q));
        break;
    case FILE_UNLINK:
        answer(&q, request_unlink(&q));
        break;
    case FILE_RENAME:
        answer(&q, request_rename(&q));
        break;
    case FILE_STATFS:
        answer(&q, request_statfs(&q));
        break;
    case FILE_PIPE:
        answer(&q, request_pipe(&q));
        break;
    case FILE_GRANT:
        answer(&q, request_grant(&q));
        break;
    case FILE_GRANTED:
        answer(&q, request_granted(&q));
        break;
    case FILE_UNGRANT:
        answer(&q, handle_ungrant(c, r->arg[0]));
        break;
    case FILE_POLL:
        polls_request(&polls, c, r, data);
        break;
    case CHANNEL_CANCEL:
        pipe_cancel(c, (uint32_t)r->arg[0]);
        poll_cancel(c, (uint32_t)r->arg[0]);
        break;
    default:
        handle_request(&q);
    }
    block_lender(NULL);
    pipes_tell();
}

static int files_connect(struct server_client *c)
{
    return waiting_client_add(c);
}

static void files_closed(struct server_client *c)
{
    pipe_client_drop(c);
    waiting_client_drop(&polls.waiting, c);
    handles_drop(c);
    waiting_client_end(c);
    pipes_tell();
}

#define NEVER (~UINT64_C(0))

/* Counter values of the next times; they must not move while the server is
 * busy. */
static uint64_t check_at = NEVER, sync_at = NEVER;
static bool sync_failed; /* the last one */

/* What is written is on the card, but for the mark that it is complete: then
 * nothing has to be mended when the power goes. */
static void sync_idle(void)
{
    sync_failed = volume_sync() != 0;
    sync_at = NEVER;
}

static void files_events(uint64_t bits)
{
    uint64_t now = counter_now();

    (void)bits;
    if (now >= check_at) {
        check_at = NEVER;
        handles_update();
        pipes_tell();
    }
    if (now >= sync_at) {
        sync_idle();
    }
}

static uint64_t later(uint64_t at, bool wanted, uint64_t ticks)
{
    if (!wanted) {
        return NEVER;
    }
    return at == NEVER ? counter_now() + ticks : at;
}

static uint64_t files_deadline(void)
{
    check_at = later(check_at, handles_waiting(),
                     counter_hz() / GRANTS_CHECKS_A_SECOND);
    sync_at = later(sync_at, volume_in_use(),
                    counter_hz() * (sync_failed ? SYNC_RETRY_S : SYNC_IDLE_S));
    return check_at < sync_at ? check_at : sync_at;
}

int main(void)
{
    static const struct server_ops ops = {
        .connect = files_connect,
        .closed = files_closed,
        .request = files_request,
        .events = files_events,
        .deadline = files_deadline,
    };

    handles_start(start_self->id);
    stamps_start(start_self->id);
    server_run(&ops);
}
