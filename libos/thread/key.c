/* SPDX-License-Identifier: BSL-1.0
 *
 * Keys: a table of values for each thread that ever set one.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../core/page.h"
#include "../core/sched.h"
#include "../core/threads.h"

struct key {
    bool used;
    void (*destructor)(void *);
};

static struct key keys[PTHREAD_KEYS_MAX]; /* guarded by the mask */

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
    pthread_key_t k = 0;
    upcall_mask();
    while (k < PTHREAD_KEYS_MAX && keys[k].used) {
        k++;
    }
    if (k < PTHREAD_KEYS_MAX) {
        keys[k] = (struct key){true, destructor};
        *key = k;
    }
    upcall_unmask();
    return k < PTHREAD_KEYS_MAX ? 0 : EAGAIN;
}

static bool is_used(pthread_key_t key)
{
    return key < PTHREAD_KEYS_MAX && keys[key].used;
}

/* Masked. A key that is made anew is NULL in every thread. */
static void value_forget(struct thread *t, pthread_key_t key)
{
    if (t->keys != NULL) {
        t->keys[key] = NULL;
    }
}

int pthread_key_delete(pthread_key_t key)
{
    upcall_mask();
    bool used = is_used(key);
    if (used) {
        keys[key] = (struct key){0};
        for (struct thread *t = thread_first(); t != NULL; t = t->all_next) {
            value_forget(t, key);
        }
    }
    upcall_unmask();
    return used ? 0 : EINVAL;
}

void *pthread_getspecific(pthread_key_t key)
{
    void **values = sched_current()->keys;
    return values != NULL && is_used(key) ? values[key] : NULL;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
    struct thread *self = sched_current();
    if (!is_used(key)) {
        return EINVAL;
    }
    if (self->keys == NULL) {
        self->keys = calloc(PTHREAD_KEYS_MAX, sizeof(void *));
    }
    if (self->keys == NULL) {
        return ENOMEM;
    }
    self->keys[key] = (void *)value;
    return 0;
}

/* One round over the values; did a destructor run? */
static bool values_end(void **values)
{
    bool ran = false;
    for (pthread_key_t k = 0; k < PTHREAD_KEYS_MAX; k++) {
        void (*destructor)(void *) = keys[k].destructor;
        void *value = values[k];
        values[k] = NULL;
        if (value != NULL && destructor != NULL) {
            destructor(value);
            ran = true;
        }
    }
    return ran;
}

void thread_keys_end(void)
{
    struct thread *self = sched_current();
    if (self->keys == NULL) {
        return;
    }
    for (int i = 0; i < PTHREAD_DESTRUCTOR_ITERATIONS; i++) {
        if (!values_end(self->keys)) {
            break;
        }
    }
    void **values = self->keys;
    self->keys = NULL;
    free(values);
}
