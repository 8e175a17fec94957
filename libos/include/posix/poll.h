/* SPDX-License-Identifier: BSL-1.0 */
/*
 * poll.h - waiting for one of several descriptors (POSIX.1-2017).
 *
 * Terminals and pipes can have to be waited for; files, directories and
 * /dev/null are always ready. The terminal's driver and the file server tell
 * when something holds; a wait takes no time of the CPU. Of descriptors of both
 * only those of the first that answers may be told. The same holds of select
 * (sys/select.h). Both are cancellation points; both end with EINTR when a
 * handler has run, whatever SA_RESTART says. At most 16 threads of a program
 * can wait so at a time, each for both; the next waits for one of them.
 */
#pragma once

typedef unsigned nfds_t;

struct pollfd {
    int fd;        /* negative: this entry is not looked at, revents 0 */
    short events;  /* POLLIN, POLLOUT, and their like: what is asked for */
    short revents; /* what holds of them; POLLERR, POLLHUP, POLLNVAL always */
};

#define POLLIN     0x001 /* read does not wait, if only to tell the end */
#define POLLPRI    0x002 /* never holds */
#define POLLOUT    0x004 /* write of PIPE_BUF (512) bytes does not wait */
#define POLLERR    0x008 /* nobody reads this pipe, or its server is gone */
#define POLLHUP    0x010 /* nobody writes to this pipe any more */
#define POLLNVAL   0x020 /* not open */
#define POLLRDNORM 0x040 /* as POLLIN */
#define POLLRDBAND 0x080 /* never holds */
#define POLLWRNORM 0x100 /* as POLLOUT */
#define POLLWRBAND 0x200 /* never holds */

/* Wait until something holds of an entry, at most timeout_ms; 0: only look;
 * negative: for ever. How many entries have revents != 0 (0: the time is over),
 * or -1: EINTR; EINVAL: more entries than a program has descriptors (64). */
int poll(struct pollfd *entries, nfds_t count, int timeout_ms);
