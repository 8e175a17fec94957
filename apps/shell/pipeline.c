/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Pipelines; the contract is in pipeline.h.
 *
 * There is no process group to send Ctrl-C to: the terminal knows one
 * foreground program. So the programs are waited for from the last to the
 * first, each being the foreground one in turn, and when one dies of SIGINT
 * the shell passes it on to those that remain.
 */
#include "pipeline.h"
#include "descriptors.h"
#include "jobs.h"
#include "launch.h"
#include "output.h"
#include "stage.h"
#include "state.h"
#include "terminal.h"

#include "../tools/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct pipeline {
    struct stage stages[PIPELINE_MAX];
    int count;
    const char *line;
};

/* Cuts [first, end) at each `|`; false after a report. */
static bool pipeline_cut(struct pipeline *pipeline, const struct token *first,
                         const struct token *end)
{
    const struct token *token = first;

    pipeline->count = 0;
    for (; token <= end; token++) {
        if (token < end && token->kind != TOKEN_PIPE) {
            continue;
        }
        if (pipeline->count == PIPELINE_MAX) {
            output_text(STDERR_FILENO,
                        "too many commands in a pipeline (limit %d)\n",
                        PIPELINE_MAX);
            return false;
        }
        pipeline->stages[pipeline->count] = (struct stage){
            .first = first,
            .end = token,
            .number = pipeline->count,
            .fds = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO},
        };
        pipeline->count++;
        first = token + 1;
    }
    return true;
}

/* A pipe from `writer` to the stage after it; false after a report. */
static bool pipe_connect(struct stage *writer)
{
    struct stage *reader = writer + 1;
    int ends[2];

    if (pipe(ends) != 0) {
        output_text(STDERR_FILENO, "pipe: %s\n", strerror(errno));
        return false;
    }
    writer->fds[1] = ends[1];
    reader->fds[0] = ends[0];
    if (!descriptors_add(ends[0], reader->number)) {
        close(ends[1]);
        return false;
    }
    return descriptors_add(ends[1], writer->number);
}

/* A background job must not take what is typed at the shell. */
static bool input_nothing(struct stage *stage)
{
    static const char nothing[] = "/dev/null";
    int fd = open(nothing, O_RDONLY);

    if (fd < 0 || !descriptors_add(fd, stage->number)) {
        output_text(STDERR_FILENO, "%s: %s\n", nothing, strerror(errno));
        return false;
    }
    stage->fds[0] = fd;
    return true;
}

static void pipeline_start(struct pipeline *pipeline)
{
    for (int i = 0; i < pipeline->count; i++) {
        struct stage *stage = &pipeline->stages[i];

        if (i + 1 < pipeline->count && !pipe_connect(stage)) {
            stage->status = STATUS_ERROR;
            pipeline->count = i + 1; /* what runs already is waited for */
            descriptors_close(i);
            break;
        }
        stage_start(stage, pipeline->line);
    }
    for (int i = 0; i < pipeline->count; i++) {
        stage_finish(&pipeline->stages[i], pipeline->line);
    }
}

static void pipeline_interrupt(struct pipeline *pipeline, int count)
{
    shell.interrupted = 1;
    for (int i = 0; i < count; i++) {
        if (pipeline->stages[i].pid > 0) {
            (void)kill(pipeline->stages[i].pid, SIGINT);
        }
    }
}

static void killed_report(const struct stage *stage, int number)
{
    if (number == SIGINT) {
        output_text(STDERR_FILENO, "\n"); /* leave the line with the ^C */
    } else if (number != SIGPIPE) {
        output_text(STDERR_FILENO, "%s: killed by signal %d (%s)\n",
                    stage->name, number, signal_text(number));
    }
}

/* Waits for one program; returns the signal that killed it, or 0. */
static int stage_wait(struct stage *stage)
{
    int word = 0;
    pid_t got;

    terminal_give(stage->pid);
    do {
        got = waitpid(stage->pid, &word, 0);
    } while (got < 0 && errno == EINTR);
    stage->pid = 0;
    if (got < 0) {
        output_text(STDERR_FILENO, "%s: cannot wait: %s\n", stage->name,
                    strerror(errno));
        stage->status = STATUS_NOT_FOUND;
        return 0;
    }
    stage->status = jobs_status(word);
    return WIFSIGNALED(word) ? WTERMSIG(word) : 0;
}

static int pipeline_wait(struct pipeline *pipeline)
{
    bool interrupted = false;

    for (int i = pipeline->count - 1; i >= 0; i--) {
        struct stage *stage = &pipeline->stages[i];
        int number;

        if (stage->pid == 0) {
            continue;
        }
        number = stage_wait(stage);
        if (number == 0 || (number == SIGINT && interrupted)) {
            continue;
        }
        killed_report(stage, number);
        if (number == SIGINT) {
            interrupted = true;
            pipeline_interrupt(pipeline, i);
        }
    }
    terminal_take();
    return pipeline->stages[pipeline->count - 1].status;
}

static bool is_word(const struct token *token, const char *line,
                    const char *text)
{
    return token->kind == TOKEN_WORD && token->length == strlen(text) &&
           memcmp(line + token->start, text, token->length) == 0;
}

static int pipeline_run_plain(const struct token *first,
                              const struct token *end, const char *line)
{
    struct pipeline pipeline = {.line = line};

    if (!pipeline_cut(&pipeline, first, end)) {
        return STATUS_USAGE;
    }
    pipeline_start(&pipeline);
    return pipeline_wait(&pipeline);
}

int pipeline_run(const struct token *first, const struct token *end,
                 const char *line)
{
    struct timespec start;
    struct timespec stop;
    long long ms;
    int status;

    if (first + 1 >= end || !is_word(first, line, "time")) {
        return pipeline_run_plain(first, end, line);
    }
    clock_gettime(CLOCK_MONOTONIC, &start);
    status = pipeline_run_plain(first + 1, end, line);
    clock_gettime(CLOCK_MONOTONIC, &stop);
    ms = (stop.tv_sec - start.tv_sec) * 1000LL +
         (stop.tv_nsec - start.tv_nsec) / 1000000;
    output_text(STDERR_FILENO, "real %lld.%03lld s\n", ms / 1000, ms % 1000);
    return status;
}

/* Takes note of what was started; returns 0 or the failed last stage. */
static int background_note(const struct pipeline *pipeline, const char *text,
                           size_t n)
{
    pid_t pids[PIPELINE_MAX];
    size_t count = 0;

    for (int i = 0; i < pipeline->count; i++) {
        if (pipeline->stages[i].pid > 0) {
            pids[count++] = pipeline->stages[i].pid;
        }
    }
    if (count == 0) {
        return pipeline->stages[pipeline->count - 1].status;
    }
    jobs_add(pids, count, text, n);
    shell.last_background = pids[count - 1];
    if (shell.interactive) {
        output_text(STDERR_FILENO, "[%ld]\n", (long)pids[count - 1]);
    }
    return 0;
}

/* Only programs: no list, no built-in command, no `time`. */
static bool is_plain(const struct token *first, const struct token *end,
                     const char *line)
{
    const struct token *stage = first;

    for (const struct token *token = first; token <= end; token++) {
        if (token < end &&
            (token->kind == TOKEN_AND || token->kind == TOKEN_OR)) {
            return false;
        }
        if (token == end || token->kind == TOKEN_PIPE) {
            if (stage_is_internal(stage, token, line)) {
                return false;
            }
            stage = token + 1;
        }
    }
    return !is_word(first, line, "time");
}

static void subshell_start(struct pipeline *pipeline, const char *text,
                           size_t n)
{
    static char copy[LINE_BYTES_MAX + 1];
    struct stage *stage = &pipeline->stages[0];

    memcpy(copy, text, n);
    copy[n] = '\0';
    pipeline->count = 1;
    stage->status = launch_shell(copy, stage->fds, &stage->pid);
    descriptors_close(stage->number);
}

int pipeline_run_background(const struct token *first, const struct token *end,
                            const char *line)
{
    struct pipeline pipeline = {.line = line};
    const char *text = line + first->start;
    size_t n = (size_t)(end[-1].start + end[-1].length - first->start);
    struct stage *stage = &pipeline.stages[0];

    if (!jobs_has_room()) {
        output_text(STDERR_FILENO, "too many background jobs (limit %d)\n",
                    JOBS_MAX);
        return STATUS_ERROR;
    }
    if (!pipeline_cut(&pipeline, first, end)) {
        return STATUS_USAGE;
    }
    if (!input_nothing(stage)) {
        return STATUS_ERROR;
    }
    if (is_plain(first, end, line)) {
        pipeline_start(&pipeline);
    } else {
        subshell_start(&pipeline, text, n);
    }
    return background_note(&pipeline, text, n);
}
