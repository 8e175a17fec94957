/* SPDX-License-Identifier: BSL-1.0
 *
 * Terminal modes. The console knows three of them: ICANON, ECHO and ISIG; the
 * others are there for programs to name. tcsetattr keeps what it cannot do, and
 * tcgetattr tells it back, for the one program that set it.
 */
#pragma once

#include <sys/types.h>

typedef unsigned int tcflag_t;
typedef unsigned int speed_t;
typedef unsigned char cc_t;

#define NCCS 16

struct termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    cc_t c_cc[NCCS];
    speed_t c_ispeed, c_ospeed;
};

/* c_iflag */
#define BRKINT 0x0001u
#define ICRNL  0x0002u
#define IGNBRK 0x0004u
#define IGNCR  0x0008u
#define IGNPAR 0x0010u
#define INLCR  0x0020u
#define INPCK  0x0040u
#define ISTRIP 0x0080u
#define IXANY  0x0100u
#define IXOFF  0x0200u
#define IXON   0x0400u
#define PARMRK 0x0800u

/* c_oflag */
#define OPOST  0x0001u
#define ONLCR  0x0002u
#define OCRNL  0x0004u
#define ONOCR  0x0008u
#define ONLRET 0x0010u

/* c_cflag */
#define CSIZE  0x0003u
#define CS5    0x0000u
#define CS6    0x0001u
#define CS7    0x0002u
#define CS8    0x0003u
#define CSTOPB 0x0004u
#define CREAD  0x0008u
#define PARENB 0x0010u
#define PARODD 0x0020u
#define HUPCL  0x0040u
#define CLOCAL 0x0080u

/* c_lflag */
#define ECHO   0x0001u
#define ECHOE  0x0002u
#define ECHOK  0x0004u
#define ECHONL 0x0008u
#define ICANON 0x0010u
#define IEXTEN 0x0020u
#define ISIG   0x0040u
#define NOFLSH 0x0080u
#define TOSTOP 0x0100u

/* c_cc */
#define VEOF   0
#define VEOL   1
#define VERASE 2
#define VINTR  3
#define VKILL  4
#define VMIN   5
#define VQUIT  6
#define VSTART 7
#define VSTOP  8
#define VSUSP  9
#define VTIME  10

#define B0      0u
#define B9600   9600u
#define B19200  19200u
#define B38400  38400u
#define B57600  57600u
#define B115200 115200u

#define TCSANOW   0
#define TCSADRAIN 1
#define TCSAFLUSH 2

int tcgetattr(int fd, struct termios *out);
int tcsetattr(int fd, int when, const struct termios *mode);
int tcdrain(int fd);
speed_t cfgetispeed(const struct termios *mode);
speed_t cfgetospeed(const struct termios *mode);
int cfsetispeed(struct termios *mode, speed_t speed);
int cfsetospeed(struct termios *mode, speed_t speed);
void cfmakeraw(struct termios *mode);
