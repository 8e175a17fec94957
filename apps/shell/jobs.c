/* SPDX-License-Identifier: BSL-1.0 */
/* Background jobs; the contract is in jobs.h. */
#include "jobs.h"
#include "output.h"
#include "state.h"

#include "../tools/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct job {
    pid_t pids[PIPELINE_MAX]; /* 0: that one has ended */
    size_t count;             /* 0: this place is free */
    pid_t id;                 /* of the last program: the job's name */
    int word;                 /* its status, from waitpid() */
    char text[80];
};

enum { POLL_NS = 10 * 1000 * 1000 };

static struct job jobs[JOBS_MAX];

int jobs_status(int word)
{
    return WIFSIGNALED(word) ? STATUS_SIGNAL + WTERMSIG(word)
                             : WEXITSTATUS(word);
}

static struct job *job_free(void)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].count == 0) {
            return &jobs[i];
        }
    }
    return NULL;
}

bool jobs_has_room(void)
{
    return job_free() != NULL;
}

void jobs_add(const pid_t *pids, size_t count, const char *text, size_t n)
{
    struct job *job = job_free();

    if (job == NULL || count == 0) {
        return;
    }
    memcpy(job->pids, pids, count * sizeof(*pids));
    job->count = count;
    job->id = pids[count - 1];
    job->word = 0;
    n = n < sizeof(job->text) ? n : sizeof(job->text) - 1;
    memcpy(job->text, text, n);
    job->text[n] = '\0';
}

static void job_report(const struct job *job)
{
    int word = job->word;

    if (WIFSIGNALED(word)) {
        output_text(STDERR_FILENO, "[%ld] killed by signal %d (%s): %s\n",
                    (long)job->id, WTERMSIG(word), signal_text(WTERMSIG(word)),
                    job->text);
    } else if (WEXITSTATUS(word) != 0) {
        output_text(STDERR_FILENO, "[%ld] exit status %d: %s\n", (long)job->id,
                    WEXITSTATUS(word), job->text);
    } else {
        output_text(STDERR_FILENO, "[%ld] done: %s\n", (long)job->id,
                    job->text);
    }
}

/* Collects the ended programs of a job; true once all have ended. */
static bool job_reap(struct job *job)
{
    bool ended = true;

    for (size_t i = 0; i < job->count; i++) {
        int word = 0;
        pid_t got;

        if (job->pids[i] == 0) {
            continue;
        }
        got = waitpid(job->pids[i], &word, WNOHANG);
        if (got == 0 || (got < 0 && errno == EINTR)) {
            ended = false;
            continue;
        }
        if (job->pids[i] == job->id && got > 0) {
            job->word = word;
        }
        job->pids[i] = 0;
    }
    return ended;
}

void jobs_reap(bool report)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].count > 0 && job_reap(&jobs[i])) {
            if (report) {
                job_report(&jobs[i]);
            }
            jobs[i].count = 0;
        }
    }
}

static bool job_has(const struct job *job, pid_t pid)
{
    return job->count > 0 && (pid == 0 || job->id == pid);
}

/*
 * Polls, so that Ctrl-C gets through whether or not a signal interrupts
 * waitpid() here.
 */
static int job_wait(struct job *job)
{
    static const struct timespec pause = {.tv_nsec = POLL_NS};

    while (!job_reap(job)) {
        if (shell.interrupted) {
            output_text(STDERR_FILENO, "\n");
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    if (shell.interrupted) {
        output_text(STDERR_FILENO, "\n"); /* leave the line with the ^C */
    }
    if (shell.interactive) {
        job_report(job);
    }
    job->count = 0;
    return jobs_status(job->word);
}

int jobs_wait(pid_t pid)
{
    int status = pid == 0 ? 0 : STATUS_NOT_FOUND;

    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (job_has(&jobs[i], pid)) {
            status = job_wait(&jobs[i]);
        }
        if (status < 0) {
            return STATUS_SIGNAL + SIGINT;
        }
    }
    return status;
}

void jobs_list(int fd)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (jobs[i].count > 0) {
            output_text(fd, "[%ld] %s\n", (long)jobs[i].id, jobs[i].text);
        }
    }
}
