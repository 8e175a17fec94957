/* SPDX-License-Identifier: BSL-1.0 */
/* Completion of commands and paths; the contract is in complete.h. */
#include "complete.h"
#include "builtin.h"
#include "lookup.h"

#include "../tools/path.h"
#include "../tools/tools.h"

#include <string.h>

struct word {
    char directory[PATH_BYTES]; /* up to its last '/', "" if there is none */
    char prefix[PATH_BYTES];    /* what follows */
    bool is_command;
};

struct collect {
    struct names *names;
    const char *prefix;
};

bool complete_is_special(char c)
{
    return strchr(" \t'\"\\$*?[|&;<>#", c) != NULL;
}

/* Start of the word that ends at line[at]. */
static size_t word_start(const char *line, size_t at)
{
    size_t start = 0;

    for (size_t i = 0; i < at; i++) {
        if (line[i] == '\\' && i + 1 < at) {
            i++;
        } else if (strchr(" \t|&;<>", line[i]) != NULL) {
            start = i + 1;
        }
    }
    return start;
}

static bool follows_operator(const char *line, size_t start)
{
    while (start > 0 && (line[start - 1] == ' ' || line[start - 1] == '\t')) {
        start--;
    }
    return start == 0 || strchr("|&;", line[start - 1]) != NULL;
}

/* Takes the word apart, without its quotes; false if it is too long. */
static bool word_take(struct word *word, const char *line, size_t at)
{
    char plain[PATH_BYTES];
    size_t start = word_start(line, at);
    size_t n = 0;
    char *slash;

    word->is_command = follows_operator(line, start);
    for (size_t i = start; i < at; i++) {
        if (line[i] == '\'' || line[i] == '"' || line[i] == '\\') {
            if (line[i] != '\\' || ++i == at) {
                continue;
            }
        }
        if (n + 1 >= sizeof(plain)) {
            return false;
        }
        plain[n++] = line[i];
    }
    plain[n] = '\0';
    slash = strrchr(plain, '/');
    n = slash != NULL ? (size_t)(slash + 1 - plain) : 0;
    strcpy(word->prefix, plain + n);
    plain[n] = '\0';
    strcpy(word->directory, plain);
    return true;
}

static bool names_has(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void collect_one(struct collect *collect, const char *name)
{
    size_t n = strlen(collect->prefix);

    if (strncmp(name, collect->prefix, n) == 0 &&
        !names_has(collect->names, name)) {
        /* Without memory the list stays shorter: it is only a help. */
        (void)names_add(collect->names, name);
    }
}

static bool collect_programs(const char *directory, void *context)
{
    struct collect *collect = context;
    struct names all = {0};

    if (names_read(&all, directory)) {
        for (size_t i = 0; i < all.count; i++) {
            collect_one(collect, all.items[i]);
        }
    }
    names_free(&all);
    return false;
}

static void collect_commands(struct collect *collect)
{
    for (size_t i = 0; i < builtins_count; i++) {
        collect_one(collect, builtins[i].name);
    }
    for (size_t i = 0; i < tools_catalog_count; i++) {
        collect_one(collect, tools_catalog[i].name);
    }
    lookup_directories(collect_programs, collect);
}

static void collect_path(struct collect *collect, const char *directory,
                         const char *name)
{
    char path[PATH_BYTES];
    size_t n = strlen(name);

    /* Two bytes for '/' and NUL behind the name. */
    if (strncmp(name, collect->prefix, strlen(collect->prefix)) != 0 ||
        (name[0] == '.' && collect->prefix[0] != '.') ||
        !path_join(path, sizeof(path) - 2, directory, name)) {
        return;
    }
    if (path_is_directory(path)) {
        memcpy(path, name, n);
        memcpy(path + n, "/", 2);
        (void)names_add(collect->names, path);
    } else {
        (void)names_add(collect->names, name);
    }
}

static void collect_paths(struct collect *collect, const char *directory)
{
    struct names all = {0};

    if (names_read(&all, directory[0] != '\0' ? directory : ".")) {
        for (size_t i = 0; i < all.count; i++) {
            collect_path(collect, directory, all.items[i]);
        }
    }
    names_free(&all);
}

static size_t common_length(const struct names *names)
{
    size_t n = strlen(names->items[0]);

    for (size_t i = 1; i < names->count; i++) {
        size_t same = 0;

        while (same < n && names->items[i][same] == names->items[0][same]) {
            same++;
        }
        n = same;
    }
    return n;
}

bool complete_find(struct completion *completion, const char *line, size_t at)
{
    static struct word word; /* 2 KiB: too much for a stack */
    struct collect collect = {&completion->names, word.prefix};

    *completion = (struct completion){0};
    if (!word_take(&word, line, at)) {
        return false;
    }
    if (word.is_command && word.directory[0] == '\0') {
        collect_commands(&collect);
    } else {
        collect_paths(&collect, word.directory);
    }
    if (completion->names.count == 0) {
        return false;
    }
    names_sort(&completion->names);
    completion->typed_bytes = strlen(word.prefix);
    completion->common_bytes = common_length(&completion->names);
    return true;
}
