/* SPDX-License-Identifier: BSL-1.0
 *
 * Count the words of files: one thread reads, WORKERS threads count what it
 * hands them through a bounded queue. A program for any POSIX system.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 4, ROOM = 8, PIECE_BYTES = 4096 };

/* A piece of text; words that it cuts are told by the byte before it. */
struct piece {
    size_t bytes;
    unsigned char before;
    unsigned char text[PIECE_BYTES];
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    struct piece *piece[ROOM];
    unsigned first, count; /* guarded by lock, as all above */
    bool closed;
    unsigned long words;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .filled = PTHREAD_COND_INITIALIZER,
           .emptied = PTHREAD_COND_INITIALIZER};

static void queue_put(struct piece *p)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.count == ROOM) {
        pthread_cond_wait(&queue.emptied, &queue.lock);
    }
    queue.piece[(queue.first + queue.count++) % ROOM] = p;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static void queue_close(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.closed = true;
    pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

/* NULL: closed and empty. */
static struct piece *queue_take(void)
{
    struct piece *p = NULL;

    pthread_mutex_lock(&queue.lock);
    while (queue.count == 0 && !queue.closed) {
        pthread_cond_wait(&queue.filled, &queue.lock);
    }
    if (queue.count > 0) {
        p = queue.piece[queue.first];
        queue.first = (queue.first + 1) % ROOM;
        queue.count--;
        pthread_cond_signal(&queue.emptied);
    }
    pthread_mutex_unlock(&queue.lock);
    return p;
}

/* A word begins where something follows white space. */
static unsigned long words_begin(const struct piece *p)
{
    unsigned long words = 0;
    unsigned char before = p->before;

    for (size_t i = 0; i < p->bytes; i++) {
        words += isspace(before) && !isspace(p->text[i]);
        before = p->text[i];
    }
    return words;
}

static void *worker(void *unused)
{
    unsigned long words = 0;
    struct piece *p;

    while ((p = queue_take()) != NULL) {
        words += words_begin(p);
        free(p);
    }
    pthread_mutex_lock(&queue.lock);
    queue.words += words;
    pthread_mutex_unlock(&queue.lock);
    return unused;
}

/* 0, or what is wrong with the file. */
static int file_read(int fd)
{
    unsigned char before = ' ';

    for (;;) {
        struct piece *p = malloc(sizeof(*p));
        ssize_t n = p != NULL ? read(fd, p->text, PIECE_BYTES) : -1;

        if (n <= 0) {
            free(p);
            return n < 0 ? errno : 0;
        }
        p->bytes = (size_t)n;
        p->before = before;
        before = p->text[n - 1];
        queue_put(p);
    }
}

static int file_count(const char *path)
{
    int fd = open(path, O_RDONLY);
    int error = fd < 0 ? errno : file_read(fd);

    if (fd >= 0) {
        close(fd);
    }
    if (error != 0) {
        fprintf(stderr, "words: %s: %s\n", path, strerror(error));
    }
    return error;
}

int main(int argc, char **argv)
{
    pthread_t workers[WORKERS];
    int failed = 0;

    for (int i = 0; i < WORKERS; i++) {
        int error = pthread_create(&workers[i], NULL, worker, NULL);

        if (error != 0) {
            fprintf(stderr, "words: %s\n", strerror(error));
            return 1;
        }
    }
    for (int i = 1; i < argc; i++) {
        failed |= file_count(argv[i]) != 0;
    }
    queue_close();
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i], NULL);
    }
    printf("%lu\n", queue.words);
    return failed;
}
