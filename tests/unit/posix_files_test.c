/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_files_test.c - libos' files, directories and descriptors, against a
 * small service that also lies, dies and is interrupted.
 */
#include "tests/unit/posix_fake.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { BIG = 100000 };

/* Was it -1, with this errno? */
static bool fails(long returned, int error)
{
    if (returned != -1 || errno != error) {
        printf("# returned %ld, errno %d (%s)\n", returned, errno,
               strerror(errno));
        return false;
    }
    return true;
}

/* Nothing of the service is held, no lock, no data area. */
static bool is_clean(void)
{
    if (fake_handles() + fake_pieces() + (unsigned)fake_held != 0) {
        printf("# left: %u handles, %u pieces, held %d\n", fake_handles(),
               fake_pieces(), fake_held);
        return false;
    }
    return true;
}

static char *pattern(size_t bytes)
{
    char *text = malloc(bytes);

    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)(i * 7 + i / 251);
    }
    return text;
}

static void transfer_test(void)
{
    char *text = pattern(BIG), *back = malloc(BIG);
    size_t bytes;
    const void *stored;
    int fd;

    fake_reset();
    fd = open("/big", O_RDWR | O_CREAT, 0644);
    CHECK(fd == 0, "open gives the lowest descriptor");
    CHECK(write(fd, text, BIG) == BIG, "write more than the data area");
    stored = fake_find("/big", &bytes);
    CHECK(bytes == BIG && memcmp(stored, text, BIG) == 0, "all of it arrived");
    CHECK(lseek(fd, 0, SEEK_CUR) == BIG, "the position is behind it");
    CHECK(read(fd, back, BIG) == 0, "and there is the end");
    CHECK(lseek(fd, -BIG, SEEK_END) == 0, "seek from the end");
    CHECK(read(fd, back, BIG) == BIG && memcmp(back, text, BIG) == 0,
          "read it back");
    CHECK(pread(fd, back, 10, BIG - 4) == 4, "pread stops at the end");
    CHECK(pwrite(fd, "xyz", 3, 1) == 3 && lseek(fd, 0, SEEK_CUR) == BIG,
          "pwrite leaves the position");
    CHECK(pread(fd, back, 3, 1) == 3 && memcmp(back, "xyz", 3) == 0,
          "pread sees what pwrite wrote");
    CHECK(read(fd, back, 0) == 0 && write(fd, back, 0) == 0, "nothing to do");
    CHECK(ftruncate(fd, 5) == 0 && lseek(fd, 0, SEEK_END) == 5, "ftruncate");
    CHECK(fails(ftruncate(fd, -1), EINVAL), "to a negative size");
    CHECK(fsync(fd) == 0 && close(fd) == 0 && is_clean(), "close");
    free(text);
    free(back);
}

static void access_test(void)
{
    char byte;
    int fd;

    fake_reset();
    fake_add("/f", "abc", 3);
    CHECK(fails(open("/none", O_RDONLY), ENOENT), "open what is not there");
    CHECK(fails(read(9, &byte, 1), EBADF), "read a closed descriptor");
    CHECK(fails(read(-1, &byte, 1), EBADF), "or none");
    CHECK(fails(read(64, &byte, 1), EBADF), "or one too large");
    CHECK(fails(close(3), EBADF), "close what is closed");
    fd = open("/f", O_WRONLY);
    CHECK(fails(read(fd, &byte, 1), EBADF), "read what is open for writing");
    close(fd);
    fd = open("/f", O_RDONLY);
    CHECK(fails(write(fd, "a", 1), EBADF), "write what is open for reading");
    close(fd);
    CHECK(fails(open("/f/", O_RDONLY), ENOTDIR), "a file as a directory");
    CHECK(fails(open("/x/", O_WRONLY | O_CREAT, 0644), EISDIR),
          "a directory is not made by open");
    fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0 && read(fd, &byte, 1) == 0 && write(fd, "abc", 3) == 3,
          "/dev/null is empty and takes all");
    close(fd);
    CHECK(is_clean(), "nothing is left open");
}

static void table_test(void)
{
    int fd, last = -1;
    unsigned count = 0;

    fake_reset();
    fake_add("/f", "abc", 3);
    while ((fd = open("/f", O_RDONLY)) >= 0) {
        last = fd;
        count++;
    }
    CHECK(errno == EMFILE && count == 64 && last == 63, "64 descriptors");
    CHECK(fake_handles() == 64, "the one too many is closed at the service");
    close(17);
    close(30);
    CHECK(open("/f", O_RDONLY) == 17, "the lowest free one is used again");
    CHECK(fails(fcntl(0, F_DUPFD, 31), EMFILE), "none left from 31 on");
    for (fd = 0; fd < 64; fd++) {
        close(fd);
    }
    CHECK(is_clean(), "all are closed");
}

static void dup_test(void)
{
    char text[3];
    int a, b;

    fake_reset();
    fake_add("/f", "abcdef", 6);
    a = open("/f", O_RDONLY);
    b = dup(a);
    CHECK(read(a, text, 2) == 2 && read(b, text, 2) == 2 && text[0] == 'c',
          "dup shares the position");
    CHECK(close(a) == 0 && fake_handles() == 1, "open until both are closed");
    CHECK(read(b, text, 2) == 2 && text[0] == 'e', "the other goes on");
    a = open("/f", O_RDONLY);
    CHECK(dup2(b, a) == a && fake_handles() == 1, "dup2 closes what was there");
    CHECK(dup2(b, b) == b && fails(dup2(50, 3), EBADF),
          "dup2 of itself, of none");
    CHECK(fails(dup2(b, 64), EBADF), "to none");
    CHECK(fcntl(a, F_GETFD) == 0 && fcntl(a, F_SETFD, FD_CLOEXEC) == 0 &&
              fcntl(a, F_GETFD) == FD_CLOEXEC && fcntl(b, F_GETFD) == 0,
          "FD_CLOEXEC is the descriptor's own");
    CHECK(fcntl(a, F_GETFL) == O_RDONLY &&
              fails(fcntl(a, F_SETFL, O_NONBLOCK), EINVAL),
          "no O_NONBLOCK");
    close(a);
    close(b);
    CHECK(is_clean(), "all are closed");
}

static void stat_test(void)
{
    struct stat s;
    struct statvfs v;

    fake_reset();
    fake_add("/d", NULL, FAKE_DIRECTORY);
    fake_add("/d/f", "abc", 3);
    CHECK(stat("/d/f", &s) == 0 && S_ISREG(s.st_mode) && s.st_size == 3 &&
              s.st_mtime == 12345 && (s.st_mode & 0777) == 0644,
          "a file");
    CHECK(stat("/d/", &s) == 0 && S_ISDIR(s.st_mode), "a directory");
    CHECK(fails(stat("/d/f/", &s), ENOTDIR), "a file with a slash");
    CHECK(fails(stat("", &s), ENOENT), "nothing");
    CHECK(stat("/dev/tty", &s) == 0 && S_ISCHR(s.st_mode), "the terminal");
    CHECK(access("/d/f", R_OK | W_OK) == 0 &&
              fails(access("/d/f", X_OK), EACCES),
          "access");
    CHECK(statvfs("/", &v) == 0 && v.f_blocks * v.f_frsize == 1 << 20,
          "how full the card is");
    CHECK(is_clean(), "nothing is left open");
}

static void tree_test(void)
{
    size_t bytes;
    char cwd[100];

    fake_reset();
    CHECK(mkdir("/a", 0755) == 0 && fails(mkdir("/a", 0755), EEXIST), "mkdir");
    CHECK(chdir("a") == 0 && strcmp(getcwd(cwd, sizeof(cwd)), "/a") == 0,
          "chdir");
    CHECK(fails(getcwd(cwd, 2) == NULL ? -1 : 0, ERANGE), "no room for it");
    close(open("f", O_WRONLY | O_CREAT, 0644));
    CHECK(fake_find("/a/f", &bytes) != NULL, "files are made in it");
    CHECK(fails(chdir("f"), ENOTDIR) && fails(chdir("g"), ENOENT),
          "chdir to what is none");
    CHECK(rename("f", "../g") == 0 && fake_find("/g", &bytes) != NULL,
          "rename");
    CHECK(fails(rename("f", "h"), ENOENT) &&
              fails(rename("/g", "/dev/null"), EXDEV),
          "rename what is not there, to a device");
    CHECK(unlink("/g") == 0 && fails(unlink("/g"), ENOENT), "unlink");
    CHECK(fails(unlink("/dev/tty"), EPERM), "not a device");
    CHECK(chdir("..") == 0 && fails(unlink("a"), EISDIR) && remove("a") == 0,
          "remove takes directories too");
    CHECK(is_clean(), "nothing is left open");
}

static void directory_test(void)
{
    char name[256], path[300];
    struct dirent *e;
    DIR *d;
    unsigned seen = 0;

    fake_reset();
    memset(name, 'n', 255);
    name[255] = '\0';
    snprintf(path, sizeof(path), "/d/%s", name);
    fake_add("/d", NULL, FAKE_DIRECTORY);
    fake_add("/d/a", "", 0);
    fake_add("/d/sub", NULL, FAKE_DIRECTORY);
    fake_add(path, "", 0);
    d = opendir("/d");
    while (d != NULL && (e = readdir(d)) != NULL) {
        seen += strcmp(e->d_name, "a") == 0 && e->d_type == DT_REG;
        seen += strcmp(e->d_name, "sub") == 0 && e->d_type == DT_DIR ? 10 : 0;
        seen += strcmp(e->d_name, name) == 0 ? 100 : 0;
    }
    CHECK(seen == 111, "every name once");
    rewinddir(d);
    CHECK((e = readdir(d)) != NULL && strcmp(e->d_name, "a") == 0, "rewinddir");
    fake_trouble.bad_entries = true;
    errno = 0;
    CHECK(readdir(d) == NULL && errno == EIO, "an entry that lies is refused");
    CHECK(closedir(d) == 0 && is_clean(), "closedir");
    CHECK(opendir("/d/a") == NULL && errno == ENOTDIR, "a file is none");
    CHECK(is_clean(), "nothing is left open");
}

static void pipe_test(void)
{
    int ends[2];

    fake_reset();
    CHECK(pipe(ends) == 0 && fake_handles() == 2, "a pipe");
    CHECK(write(ends[1], "abc", 3) == 3 && fake_last_signal == 0,
          "write to it");
    CHECK(fails(read(ends[1], &ends, 1), EBADF),
          "its other end is not to read");
    close(ends[0]);
    CHECK(fails(write(ends[1], "abc", 3), EPIPE) && fake_last_signal == SIGPIPE,
          "without a reader: EPIPE and SIGPIPE");
    close(ends[1]);
    CHECK(is_clean(), "all are closed");
}

static void trouble_test(void)
{
    char text[8];
    int fd;

    fake_reset();
    fake_add("/f", "abcdef", 6);
    fd = open("/f", O_RDWR);
    fake_trouble.lies = true;
    CHECK(fails(read(fd, text, 8), EIO), "a service that read too much");
    CHECK(fails(write(fd, text, 8), EIO), "or wrote too much");
    fake_trouble.lies = false;
    lseek(fd, 0, SEEK_SET);
    fake_trouble.interrupts = 1;
    CHECK(fails(read(fd, text, 4), EINTR), "a signal interrupts read");
    fake_trouble.interrupts = 2;
    fake_restarts = true;
    CHECK(read(fd, text, 4) == 4 && text[0] == 'a', "or not (SA_RESTART)");
    close(fd);
    CHECK(is_clean(), "all are closed");
}

static void death_test(void)
{
    struct stat s;
    uint64_t dials;
    char text[4];
    int fd, tty, other;

    fake_reset();
    fake_add("/f", "abcdef", 6);
    fd = open("/f", O_RDONLY);
    dials = fake_dials;
    fake_trouble.dead = true;
    CHECK(stat("/f", &s) == 0 && s.st_size == 6, "paths outlive the server");
    CHECK(fake_dials == dials + 1, "the channel was connected anew");
    other = open("/f", O_RDONLY); /* gets the number that fd had there */
    CHECK(fails(read(fd, text, 1), ESTALE), "old handles are not used");
    CHECK(fails(lseek(fd, 0, SEEK_SET), ESTALE), "nor for anything else");
    CHECK(close(fd) == 0 && fake_handles() == 1,
          "closing one does not close a new one");
    CHECK(read(other, text, 1) == 1, "the new one works");
    fake_trouble.dead = true;
    CHECK(fails(read(other, text, 1), ESTALE), "who notices it first, too");
    close(other);
    tty = open("/dev/tty", O_RDWR);
    CHECK(write(tty, "one ", 4) == 4, "the terminal");
    fake_trouble.dead = true;
    CHECK(write(tty, "two", 3) == 3 && strcmp(fake_console, "one two") == 0,
          "goes on after its driver's death");
    close(tty);
    fake_trouble.dead = true;
    fake_trouble.gone = true;
    CHECK(fails(stat("/f", &s), EIO), "a server that does not come back");
    fake_trouble.gone = false;
    CHECK(stat("/f", &s) == 0, "and one that came back late");
    CHECK(is_clean(), "nothing is left open");
}

int main(void)
{
    transfer_test();
    access_test();
    table_test();
    dup_test();
    stat_test();
    tree_test();
    directory_test();
    pipe_test();
    trouble_test();
    death_test();
    return tap_end();
}
