/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fat_cli.c - drive libos/fat over an image file, for fat_oracle.py
 *
 * One command a line on stdin, one reply line on stdout: the result, then
 * facts. Paths are hex of their UTF-8. `write` is followed by its bytes;
 * a positive result of `read` is followed by its bytes. Clock: set by `clock`.
 *
 *   mount | unmount | sync | statfs | fault | clock SECONDS
 *   open N PATH FLAGS | close N | flush N | read N OFFSET LEN
 *   write N OFFSET LEN | truncate N SIZE | fstat N
 *   stat PATH | list PATH | mkdir PATH | unlink PATH | rmdir PATH
 *   rename PATH PATH | utime PATH SECONDS
 */
#include "libos/fat/fat.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 16

struct cli {
    int fd;
    int64_t clock;
    struct fat_device dev;
    struct fat_volume vol;
    struct fat_file file[FILES];
};

static int image_read(void *ctx, uint64_t lba, uint32_t count, void *buf)
{
    struct cli *cli = ctx;
    size_t len = (size_t)count * FAT_SECTOR_BYTES;

    return pread(cli->fd, buf, len, (off_t)(lba * FAT_SECTOR_BYTES)) ==
                   (ssize_t)len
               ? 0
               : -EIO;
}

static int image_write(void *ctx, uint64_t lba, uint32_t count, const void *buf)
{
    struct cli *cli = ctx;
    size_t len = (size_t)count * FAT_SECTOR_BYTES;

    return pwrite(cli->fd, buf, len, (off_t)(lba * FAT_SECTOR_BYTES)) ==
                   (ssize_t)len
               ? 0
               : -EIO;
}

static int64_t cli_now(void *ctx)
{
    return ((struct cli *)ctx)->clock;
}

/* Hex to text; the result is static to two alternating buffers. */
static const char *unhex(const char *hex)
{
    static char text[2][4096];
    static unsigned turn;
    char *out = text[turn ^= 1];
    unsigned value;

    while (hex[0] && hex[1] && sscanf(hex, "%2x", &value) == 1) {
        *out++ = (char)value;
        hex += 2;
    }
    *out = 0;
    return text[turn];
}

static void reply_info(int rc, const struct fat_info *info)
{
    if (rc < 0) {
        printf("%d\n", rc);
        return;
    }
    printf("%d %" PRIu64 " %d %u %" PRId64 "\n", rc, info->size, info->is_dir,
           info->attributes, info->mtime);
}

static void do_mount(struct cli *cli)
{
    const char *reason = "";
    int rc = fat_mount(&cli->vol, &cli->dev, &reason);

    cli->vol.now = cli_now;
    cli->vol.now_ctx = cli;
    printf("%d %s\n", rc, reason);
}

static void do_statfs(struct cli *cli)
{
    struct fat_space space = {0};
    int rc = fat_statfs(&cli->vol, &space);

    printf("%d %" PRIu64 " %" PRIu64 " %u\n", rc, space.total_bytes,
           space.free_bytes, space.cluster_bytes);
}

static void do_read(struct fat_file *file, uint64_t offset, size_t len)
{
    uint8_t *buf = malloc(len ? len : 1);
    int64_t n = fat_read(file, offset, buf, len);

    printf("%" PRId64 "\n", n);
    if (n > 0) {
        fwrite(buf, 1, (size_t)n, stdout);
    }
    free(buf);
}

static void do_write(struct fat_file *file, uint64_t offset, size_t len)
{
    uint8_t *buf = malloc(len ? len : 1);

    if (fread(buf, 1, len, stdin) != len) {
        exit(2);
    }
    printf("%" PRId64 "\n", fat_write(file, offset, buf, len));
    free(buf);
}

static void do_list(struct cli *cli, const char *path)
{
    static struct fat_dirent entry;
    struct fat_file dir;
    uint32_t cursor = 0;
    int rc = fat_open(&cli->vol, &dir, path, FAT_READ | FAT_DIRECTORY);

    while (rc >= 0 &&
           (rc = fat_readdir(&cli->vol, &dir, &cursor, &entry)) > 0) {
        printf("+ ");
        for (const char *p = entry.name; *p; p++) {
            printf("%02x", (uint8_t)*p);
        }
        printf(" %" PRIu64 " %d %u %" PRId64 "\n", entry.info.size,
               entry.info.is_dir, entry.info.attributes, entry.info.mtime);
    }
    if (dir.vol) {
        int end = fat_close(&dir);

        rc = rc < 0 ? rc : end;
    }
    printf("%d\n", rc);
}

static int run_volume(struct cli *cli, const char *verb)
{
    if (!strcmp(verb, "mount")) {
        do_mount(cli);
    } else if (!strcmp(verb, "unmount")) {
        printf("%d\n", fat_unmount(&cli->vol));
    } else if (!strcmp(verb, "sync")) {
        printf("%d\n", fat_sync(&cli->vol));
    } else if (!strcmp(verb, "statfs")) {
        do_statfs(cli);
    } else if (!strcmp(verb, "fault")) {
        printf("%d %s\n", cli->vol.read_only,
               cli->vol.fault ? cli->vol.fault : "");
    } else {
        return 0;
    }
    return 1;
}

static int run_file(struct cli *cli, const char *verb, char *const *arg)
{
    struct fat_file *file = &cli->file[strtoul(arg[0], NULL, 10) % FILES];
    uint64_t n1 = strtoull(arg[1], NULL, 10);
    size_t n2 = strtoul(arg[2], NULL, 10);
    struct fat_info info;

    if (!strcmp(verb, "open")) {
        printf("%d\n", fat_open(&cli->vol, file, unhex(arg[1]), (uint32_t)n2));
    } else if (!strcmp(verb, "close")) {
        printf("%d\n", fat_close(file));
    } else if (!strcmp(verb, "flush")) {
        printf("%d\n", fat_flush(file));
    } else if (!strcmp(verb, "read")) {
        do_read(file, n1, n2);
    } else if (!strcmp(verb, "write")) {
        do_write(file, n1, n2);
    } else if (!strcmp(verb, "truncate")) {
        printf("%d\n", fat_truncate(file, n1));
    } else if (!strcmp(verb, "fstat")) {
        int rc = fat_fstat(file, &info);

        reply_info(rc, &info);
    } else {
        return 0;
    }
    return 1;
}

static int run_path(struct cli *cli, const char *verb, char *const *arg)
{
    struct fat_volume *vol = &cli->vol;
    const char *path = unhex(arg[0]);
    struct fat_info info;

    if (!strcmp(verb, "stat")) {
        int rc = fat_stat(vol, path, &info);

        reply_info(rc, &info);
    } else if (!strcmp(verb, "list")) {
        do_list(cli, path);
    } else if (!strcmp(verb, "mkdir")) {
        printf("%d\n", fat_mkdir(vol, path));
    } else if (!strcmp(verb, "unlink")) {
        printf("%d\n", fat_unlink(vol, path));
    } else if (!strcmp(verb, "rmdir")) {
        printf("%d\n", fat_rmdir(vol, path));
    } else if (!strcmp(verb, "rename")) {
        printf("%d\n", fat_rename(vol, path, unhex(arg[1])));
    } else if (!strcmp(verb, "utime")) {
        printf("%d\n", fat_set_mtime(vol, path, atoll(arg[1])));
    } else if (!strcmp(verb, "clock")) {
        cli->clock = atoll(arg[0]);
        printf("0\n");
    } else {
        return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    static char line[16384];
    static char none[1];
    static struct cli cli;
    struct stat st;

    cli.fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    if (cli.fd < 0 || fstat(cli.fd, &st) < 0) {
        fprintf(stderr, "usage: fat_cli IMAGE < commands\n");
        return 2;
    }
    cli.dev = (struct fat_device){.ctx = &cli,
                                  .read = image_read,
                                  .write = image_write};
    cli.dev.sectors = (uint64_t)st.st_size / FAT_SECTOR_BYTES;
    while (fgets(line, sizeof line, stdin)) {
        char *arg[3] = {none, none, none};
        char *verb = strtok(line, " \n");

        for (int i = 0; verb && i < 3; i++) {
            char *word = strtok(NULL, " \n");

            arg[i] = word ? word : none;
        }
        if (!verb || (!run_volume(&cli, verb) && !run_file(&cli, verb, arg) &&
                      !run_path(&cli, verb, arg))) {
            printf("? %s\n", verb ? verb : "");
        }
        fflush(stdout);
    }
    return 0;
}
