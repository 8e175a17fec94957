/* SPDX-License-Identifier: BSL-1.0
 *
 * Three threads with 1, 10 and 30 tickets count for two seconds under the
 * policy in policy.c, and show what shares of the CPU they had.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3 };

static volatile bool over;
static volatile unsigned long counts[THREADS];

static void *count(void *argument)
{
    volatile unsigned long *mine = argument;

    while (!over) {
        (*mine)++;
    }
    return NULL;
}

static int count_start(pthread_t *thread, int tickets, void *argument)
{
    struct sched_param p = {.sched_priority = tickets - 1};
    int policy = tickets > 1 ? SCHED_RR : SCHED_OTHER;
    int error = pthread_create(thread, NULL, count, argument);

    return error != 0 ? error : pthread_setschedparam(*thread, policy, &p);
}

int main(void)
{
    static const int tickets[THREADS] = {1, 10, 30};
    pthread_t threads[THREADS];
    unsigned long all = 0;

    for (int i = 0; i < THREADS; i++) {
        if (count_start(&threads[i], tickets[i], (void *)&counts[i]) != 0) {
            fprintf(stderr, "lottery: no memory for a thread\n");
            return 1;
        }
    }
    sleep(2);
    over = true;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        all += counts[i];
    }
    for (int i = 0; i < THREADS; i++) {
        printf("%2d tickets: %2lu %%\n", tickets[i], counts[i] * 100 / all);
    }
    return 0;
}
