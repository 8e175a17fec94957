/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_spawn_test.c - what posix_spawn sends to the root server, and that
 * nothing stays behind when it fails.
 */
#include "tests/unit/posix_fake.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <string.h>

enum { LARGEST = 0x200000 - 65536 };

static char *const no_arguments[] = {NULL};

/* Nothing is left: memory, grants, data area, handles but `open` ones. */
static bool is_clean(unsigned open_handles)
{
    if (fake_runs() != 0 || fake_pieces() != 0 || fake_held != 0 ||
        fake_handles() != open_handles) {
        printf("# left: %u runs, %u pieces, held %d, %u handles\n", fake_runs(),
               fake_pieces(), fake_held, fake_handles());
        return false;
    }
    return true;
}

/* The n-th string of the message, or "" behind its end. */
static const char *string_at(uint32_t n)
{
    const char *at = (const char *)fake_spawn_bytes + fake_spawn.strings;
    const char *end = at + fake_spawn.strings_bytes;

    while (n-- > 0 && at < end) {
        at += strlen(at) + 1;
    }
    return at < end ? at : "";
}

static const struct start_fd_request *fd_find(int fd)
{
    for (uint32_t i = 0; i < fake_spawn.fd_count; i++) {
        if (fake_spawn.fd[i].fd == fd) {
            return &fake_spawn.fd[i];
        }
    }
    return NULL;
}

static void message_test(void)
{
    char *argv[] = {"prog", "one", "", "three", NULL};
    char *envp[] = {"A=1", "B=2", NULL};
    char image[10000];
    pid_t pid = 0;

    for (size_t i = 0; i < sizeof(image); i++) {
        image[i] = (char)i;
    }
    fake_reset();
    fake_add("/bin", NULL, FAKE_DIRECTORY);
    fake_add("/bin/prog", image, sizeof(image));
    chdir("/bin");
    CHECK(posix_spawn(&pid, "./prog", NULL, NULL, argv, envp) == 0 && pid == 42,
          "a program of the card");
    CHECK(fake_spawn.magic == SPAWN_MAGIC && fake_spawn.argc == 4 &&
              fake_spawn.envc == 2 && strcmp(fake_spawn.cwd, "/bin") == 0,
          "the message's head");
    CHECK(strcmp(string_at(0), "/bin/prog") == 0 &&
              strcmp(string_at(1), "prog") == 0 &&
              strcmp(string_at(3), "") == 0 &&
              strcmp(string_at(4), "three") == 0 &&
              strcmp(string_at(5), "A=1") == 0 &&
              strcmp(string_at(6), "B=2") == 0 && strcmp(string_at(7), "") == 0,
          "path, arguments, environment");
    CHECK(fake_spawn.image_bytes == sizeof(image) &&
              fake_spawn.image + sizeof(image) == fake_spawn_used &&
              memcmp(fake_spawn_bytes + fake_spawn.image, image,
                     sizeof(image)) == 0,
          "the program itself");
    CHECK(is_clean(0), "nothing is left");
    chdir("/");
}

static void nested_test(void)
{
    posix_spawnattr_t nested; /* the fake takes any for one that asks for it */

    fake_reset();
    CHECK(posix_spawn(NULL, "/boot/x", NULL, NULL, no_arguments,
                      no_arguments) == 0 &&
              fake_spawn.flags == 0,
          "by default the root server schedules it");
    CHECK(posix_spawn(NULL, "/boot/x", NULL, &nested, no_arguments,
                      no_arguments) == 0 &&
              fake_spawn.flags == SPAWN_NESTED,
          "or the program that starts it");
    CHECK(is_clean(0), "nothing is left");
}

static void boot_test(void)
{
    fake_reset();
    CHECK(posix_spawn(NULL, "/boot/x/../tools", NULL, NULL, no_arguments,
                      no_arguments) == 0,
          "a program of the boot archive");
    CHECK(fake_spawn.image == 0 && fake_spawn.image_bytes == 0 &&
              strcmp(string_at(0), "/boot/tools") == 0,
          "is named, not sent");
    CHECK(is_clean(0), "nothing is left");
}

static int spawn(const posix_spawn_file_actions_t *actions)
{
    return posix_spawn(NULL, "/boot/x", actions, NULL, no_arguments,
                       no_arguments);
}

static void inherit_test(void)
{
    const struct start_fd_request *a, *b;

    fake_reset();
    fake_add("/f", "abc", 3);
    open("/dev/tty", O_RDWR);
    open("/f", O_RDONLY);
    dup(1);
    open("/f", O_RDONLY | O_CLOEXEC);
    open("/dev/null", O_RDWR);
    CHECK(spawn(NULL) == 0 && fake_spawn.fd_count == 4, "all but O_CLOEXEC's");
    a = fd_find(1);
    b = fd_find(2);
    CHECK(a != NULL && b != NULL && a->handle != 0 && a->handle == b->handle &&
              strcmp(a->service, "files") == 0 && fake_grants() == 1,
          "duplicates are one grant");
    a = fd_find(0);
    CHECK(a != NULL && a->handle == 0 && strcmp(a->service, "console") == 0 &&
              a->flags == O_RDWR,
          "the terminal needs none");
    a = fd_find(4);
    CHECK(a != NULL && strcmp(a->service, "null") == 0, "/dev/null neither");
    fake_trouble.spawn_error = ENOEXEC;
    CHECK(spawn(NULL) == ENOEXEC && fake_grants() == 1,
          "a failure takes its grants back");
    for (int fd = 0; fd < 5; fd++) {
        close(fd);
    }
    CHECK(is_clean(0), "nothing is left");
}

static void many_test(void)
{
    fake_reset();
    fake_add("/f", "abc", 3);
    for (int i = 0; i < 17; i++) {
        open("/f", O_RDONLY);
    }
    CHECK(spawn(NULL) == EMFILE && fake_grants() == 0,
          "more files than a start can hand down");
    close(16);
    CHECK(spawn(NULL) == 0 && fake_spawn.fd_count == 16, "16 are all right");
    for (int fd = 0; fd < 17; fd++) {
        close(fd);
    }
    CHECK(is_clean(0), "nothing is left");
}

static void actions_test(void)
{
    posix_spawn_file_actions_t actions;
    int ends[2];

    fake_reset();
    open("/dev/tty", O_RDWR);
    dup(0);
    pipe(ends);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, 0, "/new", O_WRONLY | O_CREAT,
                                     0644);
    CHECK(spawn(&actions) == 0 && fake_spawn.fd_count == 2, "as in a pipeline");
    CHECK(strcmp(fd_find(1)->service, "files") == 0 &&
              fd_find(1)->handle != 0 &&
              fd_find(0)->flags == (O_WRONLY | O_CREAT),
          "in the child 1 is the pipe and 0 the file");
    CHECK(fake_granted_to == 42, "whose grants they are is said");
    CHECK(is_clean(2) && fcntl(ends[0], F_GETFD) == 0,
          "in the parent nothing changed");
    posix_spawn_file_actions_addclose(&actions, 50);
    CHECK(spawn(&actions) == EBADF && is_clean(2),
          "an action that cannot be done");
    CHECK(posix_spawn_file_actions_addclose(&actions, 64) == EBADF &&
              posix_spawn_file_actions_adddup2(&actions, -1, 2) == EBADF,
          "or names no descriptor");
    posix_spawn_file_actions_destroy(&actions);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/none", O_RDONLY, 0);
    CHECK(spawn(&actions) == ENOENT && is_clean(2), "a file that is not there");
    posix_spawn_file_actions_destroy(&actions);
    for (int fd = 0; fd < 4; fd++) {
        close(fd);
    }
    CHECK(is_clean(0), "nothing is left");
}

static int spawn_path(const char *path)
{
    return posix_spawn(NULL, path, NULL, NULL, no_arguments, no_arguments);
}

static void refuse_test(void)
{
    char *large = calloc(1, LARGEST + 1);
    char *much[] = {NULL, NULL};
    char *wide = malloc(0x300000);

    memset(wide, 'w', 0x300000);
    wide[0x300000 - 1] = '\0';
    much[0] = wide;
    fake_reset();
    fake_add("/d", NULL, FAKE_DIRECTORY);
    fake_add("/empty", "", 0);
    fake_add("/large", large, LARGEST);
    fake_add("/larger", large, LARGEST + 1);
    CHECK(spawn_path("/none") == ENOENT, "no such program");
    CHECK(spawn_path("/d") == EACCES, "a directory");
    CHECK(spawn_path("/empty") == ENOEXEC, "an empty file");
    CHECK(spawn_path("/larger") == E2BIG, "a file that is too large");
    CHECK(spawn_path("/large") == 0, "the largest one");
    fake_trouble.interrupts = 3;
    CHECK(spawn_path("/large") == 0 && fake_trouble.interrupts == 0,
          "signals meanwhile are no reason to fail");
    CHECK(posix_spawn(NULL, "/boot/x", NULL, NULL, much, no_arguments) == E2BIG,
          "too many arguments");
    fake_trouble.interrupts = 0;
    CHECK(is_clean(0), "nothing is left");
    free(large);
    free(wide);
}

/* Was it started so many times, the last time with so many bytes? */
static bool was_sent(unsigned times, size_t bytes)
{
    bool good = fake_spawns == times && fake_spawn.image_bytes == bytes;

    fake_spawns = 0;
    return good;
}

static void kept_test(void)
{
    fake_reset();
    fake_spawns = 0;
    fake_add("/f", "abc", 3);
    fake_add("/p", "program", 7);
    open("/f", O_RDONLY);
    CHECK(spawn_path("/p") == 0 && was_sent(1, 7) && fake_spawn.key == 0,
          "what has no number is sent as it is");
    fake_stamp = 5;
    CHECK(spawn_path("/p") == 0 && was_sent(2, 7) && fake_spawn.key == 5,
          "what is not kept is sent with its number");
    CHECK(fake_grants() == 2, "the files that it inherits are its own once");
    fake_kept = 5;
    CHECK(spawn_path("/p") == 0 && was_sent(1, 0) && fake_spawn.key == 5 &&
              strcmp(string_at(0), "/p") == 0,
          "what is kept is named");
    fake_stamp = 6;
    CHECK(spawn_path("/p") == 0 && was_sent(2, 7) && fake_spawn.key == 6,
          "what has changed is read");
    fake_kept = 6;
    fake_trouble.spawn_error = ENOMEM;
    CHECK(spawn_path("/p") == ENOMEM && was_sent(1, 0),
          "other errors are no reason to read it");
    CHECK(spawn_path("/none") == ENOENT && was_sent(0, 0), "no such program");
    close(0);
    CHECK(is_clean(0), "nothing is left");
}

/* The message of one that is named lies anywhere. */
static void large_test(void)
{
    size_t bytes = 0x180000; /* most places are at the end of a stretch */
    char *wide = malloc(bytes), *held[8];
    char *argv[] = {wide, NULL};
    bool good = true;

    memset(wide, 'w', bytes);
    wide[bytes - 1] = '\0';
    fake_reset();
    for (int i = 0; i < 8; i++) {
        held[i] = malloc(0x20000);
        good &=
            posix_spawn(NULL, "/boot/x", NULL, NULL, argv, no_arguments) == 0 &&
            memcmp(string_at(1), wide, bytes) == 0;
    }
    CHECK(good, "arguments of much of a stretch");
    CHECK(is_clean(0), "nothing is left");
    for (int i = 0; i < 8; i++) {
        free(held[i]);
    }
    free(wide);
}

static int spawnp(const char *file)
{
    return posix_spawnp(NULL, file, NULL, NULL, no_arguments, no_arguments);
}

static void search_test(void)
{
    fake_reset();
    fake_add("/a", NULL, FAKE_DIRECTORY);
    fake_add("/b", NULL, FAKE_DIRECTORY);
    fake_add("/b/prog", "x", 1);
    fake_add("/here", "x", 1);
    setenv("PATH", "/a:/b:", 1);
    CHECK(spawnp("prog") == 0 && strcmp(string_at(0), "/b/prog") == 0,
          "found in the second directory");
    CHECK(spawnp("here") == 0 && strcmp(string_at(0), "/here") == 0,
          "an empty one is the current directory");
    CHECK(spawnp("none") == ENOENT && spawnp("") == ENOENT, "in none");
    CHECK(spawnp("b/prog") == 0, "with a slash: no search");
    unsetenv("PATH");
    CHECK(spawnp("tools") == 0 && strcmp(string_at(0), "/boot/tools") == 0,
          "without PATH: /bin, then the boot archive");
    CHECK(is_clean(0), "nothing is left");
}

int main(void)
{
    message_test();
    nested_test();
    boot_test();
    inherit_test();
    many_test();
    actions_test();
    refuse_test();
    kept_test();
    large_test();
    search_test();
    return tap_end();
}
