/* SPDX-License-Identifier: BSL-1.0
 *
 * The file server's answers: files, directories, pipes, grants, bad requests,
 * limits, and cards that are missing, broken or pulled out.
 */
#include "files_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>

#include "../../apps/fileserver/pipe.h"

static struct client shell, child, other;

static uint64_t ends[2];

static void pipe_make(void)
{
    struct channel_request r = {.op = FILE_PIPE};
    uint32_t id = submit(&shell, r, 0, 0);

    require(came(&shell, id) && shell.answers[id].error == 0, "a pipe");
    ends[0] = shell.answers[id].value[0];
    ends[1] = shell.answers[id].value[1];
}

/* ---- files -------------------------------------------------------------- */

static void test_no_card(void)
{
    uint64_t h;

    card_error = ENOMEDIUM;
    check(call_open(&shell, "/a", O_RDONLY, &h) == ENOMEDIUM, "no card");
    check(call_path(&shell, FILE_MKDIR, "/d", 0, NULL) == ENOMEDIUM,
          "no card: mkdir");
    pipe_make();
    check(call_write(&shell, ends[1], "x") == 0 &&
              call_read(&shell, ends[0], OWN, "x") == 0,
          "no card: pipes work");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
    call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL);
    card_error = 0;
    check(call_open(&shell, "/a", O_RDONLY, &h) == EMEDIUMTYPE,
          "a card of zeros");
    check(call_open(&shell, "/a", O_RDONLY, &h) == EMEDIUMTYPE &&
              strstr(log_text, "files: card: ") == log_text &&
              strchr(log_text, '\n') == &log_text[strlen(log_text) - 1],
          "... whose reason is logged once");
    card_error = EIO;
    check(call_open(&shell, "/a", O_RDONLY, &h) == EIO, "a broken card");
    card_error = 0;
}

static void test_contents(void)
{
    struct channel_request r = {0};
    struct file_stat stat;
    uint64_t h, value;

    check(call_open(&shell, "/a.txt", O_RDWR, &h) == ENOENT, "not there");
    check(call_open(&shell, "/a.txt", O_RDWR | O_CREAT, &h) == 0, "created");
    check(call_write(&shell, h, "hello ") == 0 &&
              call_write(&shell, h, "world") == 0,
          "written in sequence");
    check(call_read(&shell, h, OWN, "") == 0, "at the end: nothing to read");
    check(call_handle(&shell, FILE_SEEK, h, 6, &value) == 0 && value == 6 &&
              call_read(&shell, h, OWN, "world") == 0,
          "seek and read");
    check(call_read(&shell, h, 0, "hello world") == 0, "read at an offset");
    r = (struct channel_request){.op = FILE_SEEK,
                                 .handle = h,
                                 .arg = {(uint64_t)-3, SEEK_END}};
    check(call(&shell, r, 0, &value) == 0 && value == 8, "seek from the end");
    r.arg[0] = (uint64_t)-30;
    check(call(&shell, r, 0, &value) == EINVAL, "seek before the start");
    r = (struct channel_request){.op = FILE_FSTAT, .handle = h};
    check(call(&shell, r, sizeof stat, NULL) == 0, "fstat");
    memcpy(&stat, shell.data, sizeof stat);
    check(stat.size == 11 && stat.type == FILE_REGULAR &&
              stat.mtime == 1767225600,
          "... says size, type and time");
    check(call(&shell, r, sizeof stat - 1, NULL) == EFAULT,
          "... but not into too little room");
    check(call_handle(&shell, FILE_TRUNCATE, h, 5, NULL) == 0 &&
              call_read(&shell, h, 0, "hello") == 0,
          "truncated");
    check(call_path(&shell, FILE_UNLINK, "/a.txt", 0, NULL) == EBUSY,
          "not removed while open");
    check(call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0, "closed");
    check(call_read(&shell, h, 0, "") == EBADF, "closed: EBADF");
}

/* What opening says besides the handle. */
static bool opens_as(const char *path, uint64_t size, uint32_t type)
{
    struct channel_request r = {.op = FILE_OPEN, .arg = {O_RDONLY}};
    uint32_t id;

    strcpy(shell.data, path);
    id = submit(&shell, r, 0, (uint32_t)strlen(path) + 1);
    if (!came(&shell, id) || shell.answers[id].error != 0) {
        return false;
    }
    call_handle(&shell, FILE_CLOSE, shell.answers[id].value[0], 0, NULL);
    return shell.answers[id].value[1] == size &&
           shell.answers[id].value[2] == type;
}

static void test_open(void)
{
    check(opens_as("/a.txt", 5, FILE_REGULAR), "open says size and type");
    check(opens_as("/", 0, FILE_DIRECTORY), "... of a directory, too");
}

static void test_append(void)
{
    uint64_t h, second;

    check(call_open(&shell, "/a.txt", O_WRONLY | O_APPEND, &h) == 0 &&
              call_write(&shell, h, "!") == 0 &&
              call_write(&shell, h, "?") == 0,
          "appended");
    check(call_read(&shell, h, 0, "") == EBADF, "write only: no reading");
    check(call_open(&shell, "/a.txt", O_RDONLY, &second) == 0 &&
              call_read(&shell, second, OWN, "hello!?") == 0,
          "seen through another handle");
    check(call_write(&shell, second, "x") == EBADF, "read only: no writing");
    check(call_open(&shell, "/A.TXT", O_RDWR | O_CREAT | O_EXCL, &h) == EEXIST,
          "O_EXCL, in another case");
    call_handle(&shell, FILE_CLOSE, second, 0, NULL);
}

static void test_directories(void)
{
    struct channel_request r = {.op = FILE_READDIR};
    const struct file_entry *entry = (void *)shell.data;
    uint64_t h, bytes = 0;
    int entries = 0;

    check(call_path(&shell, FILE_MKDIR, "/dir", 0, NULL) == 0, "mkdir");
    check(call_open(&shell, "/dir", O_RDWR, &h) == EISDIR,
          "no writing to directories");
    check(call_open(&shell, "/a.txt", O_RDONLY | O_DIRECTORY, &h) == ENOTDIR,
          "O_DIRECTORY");
    strcpy(shell.data, "/a.txt");
    strcpy(shell.data + 7, "/dir/A long name.text");
    r.op = FILE_RENAME;
    check(call(&shell, r, 7 + 22, NULL) == 0, "renamed");
    check(call_path(&shell, FILE_RMDIR, "/dir", 0, NULL) == ENOTEMPTY,
          "not removed while it holds something");
    check(call_open(&shell, "/dir", O_RDONLY, &h) == 0, "opened");
    r = (struct channel_request){.op = FILE_READDIR, .handle = h};
    check(call(&shell, r, 8, &bytes) == EINVAL, "too little room: EINVAL");
    while (call(&shell, r, 4096, &bytes) == 0 && bytes > 0) {
        entries++;
        check(strcmp(entry->name, "A long name.text") == 0 &&
                  entry->name_bytes == 16 && entry->size == 7 &&
                  entry->entry_bytes == bytes && bytes % 8 == 0,
              "listed");
    }
    check(entries == 1 && bytes == 0, "... once");
    check(call_handle(&shell, FILE_SEEK, h, 0, NULL) == 0 &&
              call(&shell, r, 4096, &bytes) == 0 && bytes > 0,
          "rewound");
    check(call_read(&shell, h, 0, "") == EISDIR, "read: EISDIR");
    call_handle(&shell, FILE_CLOSE, h, 0, NULL);
}

static void test_bad_requests(void)
{
    struct channel_request r = {.op = FILE_OPEN};
    uint64_t h;

    memset(shell.data, 'a', 2000);
    shell.data[0] = '/';
    check(call(&shell, r, 2000, &h) == ENAMETOOLONG, "a path too long");
    check(call(&shell, r, 0, &h) == ENOENT, "no path");
    memcpy(shell.data, "/a\0b", 4);
    check(call(&shell, r, 4, &h) == EINVAL, "a NUL in a path");
    r.op = FILE_RENAME;
    check(call(&shell, r, 2, &h) == EINVAL, "rename with one path");
    check(call_handle(&shell, 999, 1, 0, NULL) == EBADF, "unknown operation");
    check(call_open(&shell, "/b", O_RDWR | O_CREAT, &h) == 0, "file /b");
    check(call_handle(&shell, 999, h, 0, NULL) == ENOSYS, "... of a handle");
    r = (struct channel_request){.op = FILE_READ,
                                 .handle = h,
                                 .arg = {UINT64_C(1) << 63}};
    check(call(&shell, r, 10, NULL) == EINVAL, "a negative offset");
    check(call_read(&other, h, 0, "") == EBADF, "another client's handle");
    call_handle(&shell, FILE_CLOSE, h, 0, NULL);
}

/* ---- pipes --------------------------------------------------------------- */

static void test_pipe(void)
{
    struct channel_request r = {.op = FILE_READ, .arg = {OWN}};
    uint32_t id;

    pipe_make();
    check(call_write(&shell, ends[1], "one") == 0 &&
              call_write(&shell, ends[1], "two") == 0,
          "written to a pipe");
    check(call_read(&shell, ends[0], OWN, "onetwo") == 0, "read");
    check(call_write(&shell, ends[0], "x") == EBADF, "the wrong end");
    r.handle = ends[0];
    id = submit(&shell, r, 1000, 100);
    check(!came(&shell, id), "an empty pipe: the read waits");
    check(call_write(&shell, ends[1], "late") == 0 && came(&shell, id) &&
              shell.answers[id].value[0] == 4 &&
              memcmp(shell.data + 1000, "late", 4) == 0,
          "... for a write");
    id = submit(&shell, r, 1000, 100);
    r = (struct channel_request){.op = CHANNEL_CANCEL, .arg = {id}};
    r.id = 63;
    server->request(&shell.c, &r, NULL);
    check(came(&shell, id) && shell.answers[id].error == ECANCELED,
          "... or until it is cancelled");
    check(call_write(&shell, ends[1], "rest") == 0 &&
              call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL) == 0,
          "the writer closes");
    check(call_read(&shell, ends[0], OWN, "rest") == 0 &&
              call_read(&shell, ends[0], OWN, "") == 0,
          "the reader gets the rest, then the end");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
}

static void test_full_pipe(void)
{
    struct channel_request w = {.op = FILE_WRITE, .arg = {OWN}};
    struct channel_request r = {.op = FILE_READ, .arg = {OWN}};
    uint32_t first, second;
    uint64_t done, total = 0;

    pipe_make();
    w.handle = ends[1];
    r.handle = ends[0];
    memset(shell.data, 'q', sizeof shell.data);
    check(call(&shell, w, 30000, &done) == 0 && done == 30000, "30000 fit");
    first = submit(&shell, w, 0, 50000);
    second = submit(&shell, w, 0, 30000);
    check(!came(&shell, first) && !came(&shell, second), "then writes wait");
    for (int i = 0; i < 100 && total < 110000; i++) {
        if (call(&shell, r, 10000, &done) != 0) {
            break;
        }
        total += done;
    }
    check(total == 110000 && came(&shell, first) && came(&shell, second) &&
              shell.answers[first].value[0] == 50000,
          "until it is read");
    first = submit(&shell, w, 0, 65000);
    second = submit(&shell, w, 0, 65000);
    check(!came(&shell, second), "a writer waits");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
    check(came(&shell, second) && shell.answers[second].error == EPIPE,
          "... and learns that the reader has gone");
    check(call_write(&shell, ends[1], "x") == EPIPE, "EPIPE at once, too");
    call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL);
}

/* ---- polling ------------------------------------------------------------- */

#define LIST 4096u /* where it lies in a client's data */

static struct file_poll *polled(struct client *own)
{
    return (struct file_poll *)(void *)(own->data + LIST);
}

/* Both ends of the pipe: a byte to read, no room to write is asked for. */
static uint32_t poll_submit(struct client *own, uint64_t waits, uint32_t bytes)
{
    struct channel_request r = {.op = FILE_POLL, .arg = {waits}};

    polled(own)[0] = (struct file_poll){ends[0], READY_READ, 77};
    polled(own)[1] = (struct file_poll){ends[1], 0, 77};
    return submit(own, r, LIST, bytes);
}

static bool poll_says(struct client *own, uint32_t id, uint64_t holds,
                      uint32_t first, uint32_t second)
{
    return came(own, id) && own->answers[id].error == 0 &&
           own->answers[id].value[0] == holds &&
           polled(own)[0].ready == first && polled(own)[1].ready == second;
}

static void test_poll(void)
{
    const uint32_t both = 2 * sizeof(struct file_poll);
    struct channel_request cancel = {.op = CHANNEL_CANCEL, .id = 63};
    uint32_t id;

    pipe_make();
    check(poll_says(&shell, poll_submit(&shell, 0, both), 0, 0, 0),
          "a poll that is not to wait does not");
    id = poll_submit(&shell, 1, both);
    check(!came(&shell, id), "one that is, waits");
    check(call_write(&shell, ends[1], "x") == 0 &&
              poll_says(&shell, id, 1, READY_READ, 0),
          "... until there is something to read");
    check(poll_says(&shell, poll_submit(&shell, 1, both), 1, READY_READ, 0),
          "... and not at all if there is");
    check(call_read(&shell, ends[0], OWN, "x") == 0, "it is read");
    id = poll_submit(&shell, 1, both);
    cancel.arg[0] = id;
    server->request(&shell.c, &cancel, NULL);
    check(came(&shell, id) && shell.answers[id].error == ECANCELED,
          "... or until it is cancelled");
    id = poll_submit(&shell, 1, both);
    call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL);
    check(poll_says(&shell, id, 2, READY_READ | READY_HANGUP, READY_ERROR),
          "a closed end is told, asked for or not");
    client_start(&other, 6);
    check(poll_says(&other, poll_submit(&other, 1, both), 2, READY_ERROR,
                    READY_ERROR),
          "handles of others are none");
    id = poll_submit(&shell, 1, both - 1);
    check(came(&shell, id) && shell.answers[id].error == EINVAL,
          "half an entry: EINVAL");
    id = submit(&shell, (struct channel_request){.op = FILE_POLL}, LIST + 4,
                both);
    check(came(&shell, id) && shell.answers[id].error == EINVAL,
          "entries across words: EINVAL");
    id = poll_submit(&shell, 1, 0);
    check(came(&shell, id) && shell.answers[id].error == EINVAL,
          "no entries: EINVAL");
    id =
        poll_submit(&shell, 1, (FILE_POLLS_MAX + 1) * sizeof(struct file_poll));
    check(came(&shell, id) && shell.answers[id].error == EINVAL,
          "too many: EINVAL");
    server->closed(&other.c);
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
}

/* ---- grants -------------------------------------------------------------- */

static bool is_end(struct client *own, uint64_t handle)
{
    return call_read(own, handle, OWN, "") == 0;
}

static void test_grant(void)
{
    uint64_t granted, h;
    struct sys_domain *d;

    pipe_make();
    check(call_handle(&shell, FILE_GRANT, ends[1], 0, &granted) == 0 &&
              call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL) == 0,
          "an end is granted and closed");
    time_pass();
    check(call_read(&shell, ends[0], OWN, "") == -1, "it is still open");
    shell.answers[(shell.next_id - 1) % ANSWERS].came = true;
    domain_add(8, 99); /* somebody else's child */
    d = domain_add(9, 5);
    domain_add(10, 5); /* a later child */
    client_start(&other, 10);
    check(call_write(&other, granted, "x") == EBADF, "not the later child's");
    client_start(&child, 9);
    shell.answers[(shell.next_id - 1) % ANSWERS].came = false;
    check(call_write(&child, granted, "mine") == 0, "the next child's");
    check(call_handle(&shell, FILE_UNGRANT, 0, granted, NULL) == EBADF,
          "it cannot be taken back then");
    d->state = SYS_ZOMBIE;
    server->closed(&child.c);
    check(is_end(&shell, ends[0]), "its end closes it");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
    server->closed(&other.c);
    check(call_open(&shell, "/shared", O_RDWR | O_CREAT, &h) == 0 &&
              call_write(&shell, h, "abcdef") == 0 &&
              call_handle(&shell, FILE_SEEK, h, 2, NULL) == 0 &&
              call_handle(&shell, FILE_GRANT, h, 10, &granted) == 0,
          "a file is granted by id");
    client_start(&other, 10);
    check(call_read(&other, granted, OWN, "cdef") == 0 &&
              call_read(&shell, h, OWN, "") == 0,
          "the offset is shared");
    call_handle(&shell, FILE_CLOSE, h, 0, NULL);
    check(call_read(&other, granted, 0, "abcdef") == 0, "and outlives");
    server->closed(&other.c);
}

static bool scratch_open(struct client *c, const char *path, uint64_t *handle)
{
    return call_path(c, FILE_OPEN, path, O_RDWR | O_CREAT | FILE_SCRATCH,
                     handle) == 0 &&
           call_write(c, *handle, "a page") == 0;
}

static bool is_there(const char *path)
{
    uint64_t h;
    return call_open(&shell, path, O_RDONLY, &h) == 0 &&
           call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0;
}

static void test_scratch(void)
{
    uint64_t h, second, granted;

    check(scratch_open(&shell, "/tmp.1", &h) &&
              call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0 &&
              !is_there("/tmp.1"),
          "FILE_SCRATCH: removed when it is closed");
    domain_add(40, 5);
    client_start(&other, 40);
    check(scratch_open(&other, "/tmp.2", &h) && is_there("/tmp.2"),
          "... there until then");
    server->closed(&other.c);
    check(!is_there("/tmp.2"), "... or when its client is gone");

    client_start(&other, 40);
    check(scratch_open(&other, "/tmp.3", &h) &&
              call_handle(&other, FILE_GRANT, h, 5, &granted) == 0 &&
              call_read(&shell, granted, 0, "a page") == 0,
          "... granted to another");
    server->closed(&other.c);
    check(call_read(&shell, granted, 0, "a page") == 0 &&
              call_handle(&shell, FILE_CLOSE, granted, 0, NULL) == 0 &&
              !is_there("/tmp.3"),
          "... which keeps it until it closes it");

    check(scratch_open(&shell, "/tmp.4", &h), "... and renamed");
    memcpy(shell.data, "/tmp.4\0/kept", 13);
    check(call(&shell, (struct channel_request){.op = FILE_RENAME}, 12, NULL) ==
                  0 &&
              call_open(&shell, "/tmp.4", O_RDWR | O_CREAT, &second) == 0 &&
              call_handle(&shell, FILE_CLOSE, second, 0, NULL) == 0 &&
              call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0 &&
              is_there("/kept") && is_there("/tmp.4"),
          "... it stays, and so does what has its name now");
}

static void test_lost_grants(void)
{
    uint64_t granted;
    struct sys_domain *d;

    pipe_make();
    check(call_handle(&shell, FILE_GRANT, ends[1], 0, &granted) == 0 &&
              call_handle(&shell, FILE_UNGRANT, 0, granted, NULL) == 0 &&
              call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL) == 0 &&
              is_end(&shell, ends[0]),
          "a grant taken back");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
    pipe_make();
    call_handle(&shell, FILE_GRANT, ends[1], 0, &granted);
    call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL);
    d = domain_add(20, 5);
    check(server->deadline() != ~UINT64_C(0), "grants that wait are checked");
    time_pass();
    d->state = SYS_ZOMBIE;
    time_pass();
    check(is_end(&shell, ends[0]), "one whose taker never came is dropped");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
    pipe_make();
    call_handle(&shell, FILE_GRANT, ends[1], 0, &granted);
    call_handle(&shell, FILE_CLOSE, ends[1], 0, NULL);
    check(call_handle(&shell, FILE_GRANTED, 0, 21, NULL) == 0 &&
              call_handle(&shell, FILE_GRANTED, 0, 0, NULL) == ESRCH,
          "the granter says who the taker was");
    time_pass();
    check(is_end(&shell, ends[0]), "who ended unseen, too");
    check(card_in_use(), "a changed card is marked as in use");
    time_pass();
    check(!card_in_use(), "... and as complete when nothing happens");
    check(server->deadline() == ~UINT64_C(0), "... then nothing is checked");
    call_handle(&shell, FILE_CLOSE, ends[0], 0, NULL);
}

static void test_limits(void)
{
    uint64_t h;
    int error = 0, n = 0;

    client_start(&other, 30);
    while (error == 0 && n < 1000) {
        error = call_handle(&other, FILE_PIPE, 0, 0, &h);
        n += error == 0;
    }
    check(n == (int)PIPES_MAX && error == ENFILE, "PIPES_MAX pipes");
    server->closed(&other.c);
    client_start(&other, 30);
    error = 0;
    for (n = 0; error == 0 && n < 1000; n += error == 0) {
        error = call_open(&other, "/b", O_RDONLY, &h);
    }
    check(n == 96 && error == EMFILE, "HANDLES_EACH open files");
    server->closed(&other.c);
    check(call_path(&shell, FILE_UNLINK, "/b", 0, NULL) == 0,
          "all closed with the client");
}

static uint64_t stamp(const char *path)
{
    uint64_t number = 0;

    require(call_path(&shell, FILE_STAMP, path, 0, &number) == 0, path);
    return number;
}

/* Open it, and close it again. */
static bool touch(const char *path, int flags)
{
    uint64_t h;

    return call_open(&shell, path, flags, &h) == 0 &&
           call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0;
}

/* Is its number another one than that, and does it stay so? */
static bool renewed(const char *path, uint64_t *number)
{
    uint64_t was = *number;

    *number = stamp(path);
    return *number != was && *number != 0 && *number == stamp(path);
}

static bool renamed(const char *from, const char *to)
{
    size_t length = strlen(from) + 1;

    memcpy(shell.data, from, length);
    strcpy(shell.data + length, to);
    return call(&shell, (struct channel_request){.op = FILE_RENAME},
                (uint32_t)(length + strlen(to) + 1), NULL) == 0;
}

/* Entries of a directory are used again: what a number stood for must not come
 * back as another file. */
static void test_stamps(void)
{
    uint64_t h, first, other_file, number;
    char name[24];

    check(touch("/s1", O_RDWR | O_CREAT) && touch("/s2", O_RDWR | O_CREAT) &&
              (first = stamp("/s1")) != 0 && (other_file = stamp("/s2")) != 0 &&
              first != other_file && stamp("/S1") == first &&
              touch("/s1", O_RDONLY) && stamp("/s1") == first,
          "a number for what is in a file, by any of its names");
    check(call_path(&shell, FILE_STAMP, "/none", 0, &number) == ENOENT &&
              call_path(&shell, FILE_STAMP, "", 0, &number) == ENOENT &&
              stamp("/") == 0,
          "... none of what is no file");
    check(call_open(&shell, "/s1", O_WRONLY, &h) == 0 && stamp("/s1") == 0 &&
              stamp("/s2") == other_file,
          "... none while somebody may write it");
    check(call_write(&shell, h, "text") == 0 &&
              call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0 &&
              renewed("/s1", &first) && stamp("/s2") == other_file,
          "... another one after that");
    check(touch("/s1", O_WRONLY | O_TRUNC) && renewed("/s1", &first),
          "... when it was cut");
    check(call_path(&shell, FILE_UNLINK, "/s1", 0, NULL) == 0 &&
              touch("/s3", O_RDONLY | O_CREAT) && renewed("/s3", &first),
          "... of a new file in the place of one that was removed");
    check(renamed("/s3", "/s2") && renewed("/s2", &other_file) &&
              other_file != first,
          "... when another one takes its name");
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "/many%d", i);
        check(touch(name, O_RDWR | O_CREAT) && renewed(name, &first),
              "... and of more files than there are numbers kept of");
    }
    check(renewed("/s2", &other_file), "... whose number is then a new one");
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "/many%d", i);
        require(call_path(&shell, FILE_UNLINK, name, 0, NULL) == 0, name);
    }
    card_error = ENOMEDIUM;
    (void)call_path(&shell, FILE_MKDIR, "/x", 0, NULL);
    card_error = 0;
    check(renewed("/s2", &other_file), "... when another card may be in");
    require(call_path(&shell, FILE_UNLINK, "/s2", 0, NULL) == 0, "/s2");
}

static void test_card_lost(void)
{
    uint64_t h, again;

    check(call_open(&shell, "/lost", O_RDWR | O_CREAT, &h) == 0 &&
              call_write(&shell, h, "text") == 0,
          "a file is open");
    card_error = ENOMEDIUM;
    check(
        call_write(&shell, h, "more") == 0 &&
            call_handle(&shell, FILE_SYNC, h, 0, NULL) == ENOMEDIUM,
        "the card is pulled: a small write is told of when it is to be there");
    check(call_open(&shell, "/lost", O_RDONLY, &again) == ENOMEDIUM,
          "... still out");
    card_error = 0;
    check(call_open(&shell, "/lost", O_RDONLY, &again) == 0 &&
              call_read(&shell, again, 0, "text") == 0,
          "... in again");
    check(call_write(&shell, h, "more") == EIO, "the old handle is dead");
    check(call_handle(&shell, FILE_CLOSE, h, 0, NULL) == 0, "... but closes");
    call_handle(&shell, FILE_CLOSE, again, 0, NULL);
    card_error = ENOMEDIUM;
    (void)call_path(&shell, FILE_MKDIR, "/x", 0, NULL);
    card_error = 0;
    card_protected = true;
    check(call_path(&shell, FILE_MKDIR, "/y", 0, NULL) == EROFS,
          "a protected card: EROFS");
    check(call_open(&shell, "/lost", O_RDONLY, &again) == 0, "... reads");
    check(call_handle(&shell, FILE_SYNC, 0, 0, NULL) == 0, "sync of all");
}

int tests_run(void)
{
    domain_add(5, 1);
    client_start(&shell, 5);
    client_start(&other, 6);
    test_no_card();
    check(card_format(), "a FAT16 file system (mkfs.fat)");
    test_contents();
    test_open();
    test_append();
    test_directories();
    test_bad_requests();
    server->closed(&other.c);
    test_pipe();
    test_full_pipe();
    test_poll();
    test_grant();
    test_lost_grants();
    test_limits();
    test_scratch();
    test_stamps();
    test_card_lost();
    direct_tests();
    return check_end();
}
