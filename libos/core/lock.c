/* SPDX-License-Identifier: BSL-1.0
 *
 * picolibc's locks are mutexes. All of this family is in one file, because
 * picolibc's own is in one object: leave one out, and both are linked.
 */
#include <stdlib.h>
#include <sys/lock.h>

#include <vesper/thread.h>

#include "lock.h"
#include "signal_frame.h"

struct __lock {
    struct mutex mutex;
};

struct __lock __lock___libc_recursive_mutex;

void lock_keep(void)
{
}

/* malloc takes the libc lock only, so a lock can come from the heap. Without
 * memory a FILE shares the libc lock: slower, never wrong (it is recursive). */
void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(**lock));
    if (*lock == NULL) {
        *lock = &__lock___libc_recursive_mutex;
    }
}

void __retarget_lock_init(_LOCK_T *lock)
{
    __retarget_lock_init_recursive(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    if (lock != &__lock___libc_recursive_mutex) {
        free(lock);
    }
}

void __retarget_lock_close(_LOCK_T lock)
{
    __retarget_lock_close_recursive(lock);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    signals_hold();
    mutex_lock_recursive(&lock->mutex);
}

/* Recursive as well: the lock may be the shared one. */
void __retarget_lock_acquire(_LOCK_T lock)
{
    __retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    signals_hold();
    if (mutex_try(&lock->mutex)) {
        return 1;
    }
    if (lock->mutex.owner != thread_self()) {
        signals_allow();
        return 0;
    }
    mutex_lock_recursive(&lock->mutex);
    return 1;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    mutex_unlock(&lock->mutex);
    signals_allow();
}

void __retarget_lock_release(_LOCK_T lock)
{
    __retarget_lock_release_recursive(lock);
}
