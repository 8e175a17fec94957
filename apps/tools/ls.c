/* SPDX-License-Identifier: BSL-1.0 */
/*
 * ls: names in columns on a terminal, one a line elsewhere; -l adds kind,
 * size and time (UTC), -a the names that start with a dot. Files come first,
 * then each directory, under its name if there are several.
 */
#include "columns.h"
#include "names.h"
#include "path.h"
#include "report.h"
#include "tools.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct options {
    bool is_long;
    bool all;
    bool columns;
};

static void long_print(const char *name, const struct stat *info)
{
    char when[32] = "?";
    time_t changed = info->st_mtime;
    struct tm parts;

    if (gmtime_r(&changed, &parts) != NULL) {
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &parts);
    }
    printf("%c%c%c%c %10lld %s %s\n", S_ISDIR(info->st_mode) ? 'd' : '-',
           info->st_mode & S_IRUSR ? 'r' : '-',
           info->st_mode & S_IWUSR ? 'w' : '-',
           info->st_mode & S_IXUSR ? 'x' : '-', (long long)info->st_size, when,
           name);
}

static int list_long(const char *directory, const struct names *names)
{
    char path[PATH_BYTES];
    int status = 0;

    for (size_t i = 0; i < names->count; i++) {
        struct stat info;

        if (!path_join(path, sizeof(path), directory, names->items[i]) ||
            stat(path, &info) != 0) {
            status = report_errno(names->items[i]);
        } else {
            long_print(names->items[i], &info);
        }
    }
    return status;
}

static int list_print(const char *directory, const struct names *names,
                      const struct options *options)
{
    if (options->is_long) {
        return list_long(directory, names);
    }
    if (options->columns) {
        columns_print(names);
        return 0;
    }
    for (size_t i = 0; i < names->count; i++) {
        puts(names->items[i]);
    }
    return 0;
}

static bool names_choose(struct names *out, const struct names *all,
                         const struct options *options)
{
    if (options->all && (!names_add(out, ".") || !names_add(out, ".."))) {
        return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        bool hidden = all->items[i][0] == '.' && !options->all;

        if (!hidden && !names_add(out, all->items[i])) {
            return false;
        }
    }
    return true;
}

static int list_directory(const char *path, const struct options *options)
{
    struct names all = {0};
    struct names chosen = {0};
    int status;

    if (!names_read(&all, path)) {
        return report_errno(path);
    }
    if (names_choose(&chosen, &all, options)) {
        status = list_print(path, &chosen, options);
    } else {
        status = report_errno(path);
    }
    names_free(&chosen);
    names_free(&all);
    return status;
}

/* The operands that are no directories, listed as one group. */
static int list_files(int count, char **paths, const struct options *options,
                      int *listed)
{
    struct names files = {0};
    int status = 0;

    for (int i = 0; i < count; i++) {
        struct stat info;

        if (stat(paths[i], &info) != 0) {
            status = report_errno(paths[i]);
        } else if (!S_ISDIR(info.st_mode) && !names_add(&files, paths[i])) {
            status = report_errno(paths[i]);
        }
    }
    *listed = (int)files.count;
    status |= list_print("", &files, options);
    names_free(&files);
    return status;
}

static int list_all(int count, char **paths, const struct options *options)
{
    int listed;
    int status = list_files(count, paths, options, &listed);

    for (int i = 0; i < count; i++) {
        if (!path_is_directory(paths[i])) {
            continue;
        }
        if (count > 1) {
            printf("%s%s:\n", listed > 0 ? "\n" : "", paths[i]);
        }
        status |= list_directory(paths[i], options);
        listed++;
    }
    return status;
}

int tool_ls(int argc, char **argv)
{
    struct options options = {.columns = isatty(STDOUT_FILENO)};
    char *here[] = {"."};
    int option;

    while ((option = getopt(argc, argv, "la1")) != -1) {
        switch (option) {
        case 'l':
            options.is_long = true;
            break;
        case 'a':
            options.all = true;
            break;
        case '1':
            options.columns = false;
            break;
        default:
            return report_usage();
        }
    }
    if (optind == argc) {
        return list_all(1, here, &options);
    }
    return list_all(argc - optind, argv + optind, &options);
}
