/* SPDX-License-Identifier: BSL-1.0
 *
 * Terminals: isatty, ttyname, tcgetattr, tcsetattr, tcgetpgrp, tcsetpgrp.
 *
 * The console has three modes (file.h: TTY_x); the other bits of struct termios
 * are only remembered, in this program. A process group is one program here,
 * and which one Ctrl-C goes to can be set but not asked for.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <vesper/file.h>

#include "fd.h"
#include "result.h"
#include "service.h"

#define TTY_NAME "/dev/console"

static const struct termios defaults = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = CS8 | CREAD | CLOCAL,
    .c_lflag = ICANON | ECHO | ECHOE | ECHOK | ISIG | IEXTEN,
    .c_cc = {[VEOF] = 4,
             [VERASE] = 127,
             [VINTR] = 3,
             [VKILL] = 21,
             [VMIN] = 1,
             [VQUIT] = 28},
    .c_ispeed = B115200,
    .c_ospeed = B115200,
};

#define REAL_MODES (ICANON | ECHO | ISIG)

static struct termios remembered;
static bool remembers;
static pid_t foreground; /* 0: this program, as far as it knows */

/* A request to the terminal that fd stands for. ENOTTY: it is something else.
 */
static int tty_call(int fd, struct channel_request *r,
                    struct channel_completion *answer)
{
    struct description *d;
    uint32_t type;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return error;
    }
    error = posix_description_type(d, &type);
    if (error == 0) {
        error = type == FILE_TTY ? 0 : ENOTTY;
    }
    if (error == 0 && r != NULL) {
        r->handle = d->handle;
        error = posix_service_call(d->service, r, answer);
    }
    posix_description_drop(d);
    return error;
}

int isatty(int fd)
{
    int error = tty_call(fd, NULL, NULL);

    if (error != 0) {
        errno = error;
    }
    return error == 0;
}

int ttyname_r(int fd, char *out, size_t bytes)
{
    int error = tty_call(fd, NULL, NULL);

    if (error == 0 && bytes < sizeof(TTY_NAME)) {
        error = ERANGE;
    }
    if (error == 0) {
        strcpy(out, TTY_NAME);
    }
    return error;
}

char *ttyname(int fd)
{
    static char name[] = TTY_NAME;

    return isatty(fd) ? name : NULL;
}

static tcflag_t local_of(uint64_t tty)
{
    return ((tty & TTY_CANON) != 0 ? ICANON : 0) |
           ((tty & TTY_ECHO) != 0 ? ECHO : 0) |
           ((tty & TTY_SIGNALS) != 0 ? ISIG : 0);
}

static uint64_t tty_of(tcflag_t local)
{
    return (uint64_t)((local & ICANON) != 0 ? TTY_CANON : 0) |
           (uint64_t)((local & ECHO) != 0 ? TTY_ECHO : 0) |
           (uint64_t)((local & ISIG) != 0 ? TTY_SIGNALS : 0);
}

int tcgetattr(int fd, struct termios *out)
{
    struct channel_request r = {.op = TTY_GET};
    struct channel_completion answer;
    int error = tty_call(fd, &r, &answer);

    if (error != 0) {
        return result(error);
    }
    *out = remembers ? remembered : defaults;
    out->c_lflag &= ~REAL_MODES;
    out->c_lflag |= local_of(answer.value[0]);
    return 0;
}

int tcsetattr(int fd, int when, const struct termios *mode)
{
    struct channel_request r = {.op = TTY_SET, .arg = {tty_of(mode->c_lflag)}};
    struct channel_completion answer;
    int error;

    if (when != TCSANOW && when != TCSADRAIN && when != TCSAFLUSH) {
        return result(EINVAL);
    }
    error = tty_call(fd, &r, &answer);
    if (error == 0) {
        remembered = *mode;
        remembers = true;
    }
    return result(error);
}

/* The console takes its output before it answers write. */
int tcdrain(int fd)
{
    return result(tty_call(fd, NULL, NULL));
}

speed_t cfgetispeed(const struct termios *mode)
{
    return mode->c_ispeed;
}

speed_t cfgetospeed(const struct termios *mode)
{
    return mode->c_ospeed;
}

int cfsetispeed(struct termios *mode, speed_t speed)
{
    mode->c_ispeed = speed;
    return 0;
}

int cfsetospeed(struct termios *mode, speed_t speed)
{
    mode->c_ospeed = speed;
    return 0;
}

void cfmakeraw(struct termios *mode)
{
    mode->c_iflag &= ~(BRKINT | ICRNL | INLCR | IGNCR | ISTRIP | IXON);
    mode->c_oflag &= ~OPOST;
    mode->c_lflag &= ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode->c_cc[VMIN] = 1;
    mode->c_cc[VTIME] = 0;
}

pid_t tcgetpgrp(int fd)
{
    int error = tty_call(fd, NULL, NULL);

    if (error != 0) {
        return result(error);
    }
    return foreground != 0 ? foreground : getpid();
}

int tcsetpgrp(int fd, pid_t group)
{
    struct channel_request r = {.op = TTY_FOREGROUND, .arg = {(uint64_t)group}};
    struct channel_completion answer;
    int error;

    if (group < 0) {
        return result(EINVAL);
    }
    if (group == getpid()) {
        r.arg[0] = 0; /* the caller */
    }
    error = tty_call(fd, &r, &answer);
    if (error == 0) {
        foreground = group;
    }
    return result(error);
}
