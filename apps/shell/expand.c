/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Expansion of words; the contract is in expand.h.
 *
 * A field is built as a pattern: a character that must not match as a
 * wildcard stands behind a backslash. At its end the field is either matched
 * or loses those backslashes.
 */
#include "expand.h"
#include "state.h"

#include "../tools/names.h"
#include "../tools/path.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 128 }; /* a longer name is never set, so its value is "" */

struct field {
    char text[WORD_BYTES];
    size_t n;
    bool exists;       /* even if empty: "" is an argument */
    bool has_wildcard; /* an unquoted * ? [ */
    bool is_single;    /* no splitting, no matching */
    struct arguments *arguments;
    const char *cause;
};

static struct field field;

static const char too_many[] = "too many arguments (limit 1024)";
static const char too_long[] = "arguments too long (limit 32768 bytes)";
static const char word_long[] = "word too long (limit 4096 bytes)";

void arguments_clear(struct arguments *arguments)
{
    arguments->count = 0;
    arguments->used_bytes = 0;
    arguments->items[0] = NULL;
}

static const char *argument_add(struct arguments *arguments, const char *prefix,
                                size_t prefix_n, const char *text)
{
    size_t n = strlen(text) + 1;
    char *to = arguments->text + arguments->used_bytes;

    if (arguments->count == ARGUMENTS_MAX) {
        return too_many;
    }
    if (prefix_n + n > sizeof(arguments->text) - arguments->used_bytes) {
        return too_long;
    }
    memcpy(to, prefix, prefix_n);
    memcpy(to + prefix_n, text, n);
    arguments->used_bytes += prefix_n + n;
    arguments->items[arguments->count++] = to;
    arguments->items[arguments->count] = NULL;
    return NULL;
}

static void field_put(char c)
{
    if (field.n + 1 >= sizeof(field.text)) {
        field.cause = word_long;
        return;
    }
    field.text[field.n++] = c;
    field.exists = true;
}

static void field_put_literal(char c)
{
    if (strchr("*?[\\", c) != NULL) {
        field_put('\\');
    }
    field_put(c);
}

/* Removes the protecting backslashes of text, in place. */
static void pattern_plain(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text == '\\' && text[1] != '\0') {
            text++;
        }
        *to++ = *text;
    }
    *to = '\0';
}

/* Adds the entries that match the last component; *found tells of any. */
static const char *field_match(bool *found)
{
    char directory[PATH_BYTES];
    struct names names = {0};
    char *slash = strrchr(field.text, '/');
    const char *pattern = slash != NULL ? slash + 1 : field.text;
    size_t n = (size_t)(pattern - field.text);
    const char *cause = NULL;

    *found = false;
    if (n >= sizeof(directory)) {
        return NULL;
    }
    memcpy(directory, field.text, n);
    directory[n] = '\0';
    pattern_plain(directory);
    if (!names_read(&names, n > 0 ? directory : ".")) {
        return NULL; /* no such directory: nothing matches */
    }
    for (size_t i = 0; i < names.count && cause == NULL; i++) {
        if (fnmatch(pattern, names.items[i], FNM_PERIOD) == 0) {
            *found = true;
            cause = argument_add(field.arguments, directory, strlen(directory),
                                 names.items[i]);
        }
    }
    names_free(&names);
    return cause;
}

static void field_start(void)
{
    field.n = 0;
    field.exists = false;
    field.has_wildcard = false;
}

static void field_end(void)
{
    bool found = false;

    if (!field.exists || field.cause != NULL) {
        return;
    }
    field.text[field.n] = '\0';
    if (field.has_wildcard) {
        field.cause = field_match(&found);
    }
    if (!found && field.cause == NULL) {
        pattern_plain(field.text);
        field.cause = argument_add(field.arguments, "", 0, field.text);
    }
    field_start();
}

size_t expand_name_length(const char *text)
{
    size_t n = 0;

    if (isdigit((unsigned char)text[0])) {
        return 0;
    }
    while (isalnum((unsigned char)text[n]) || text[n] == '_') {
        n++;
    }
    return n;
}

static const char *number_text(long number)
{
    static char text[24];

    snprintf(text, sizeof(text), "%ld", number);
    return text;
}

/* The value of a one-character parameter; NULL if c is none. */
static const char *special_value(char c)
{
    switch (c) {
    case '?':
        return number_text(shell.status);
    case '$':
        return number_text(getpid());
    case '!':
        return number_text(shell.last_background);
    case '#':
        return number_text(shell.argc > 0 ? shell.argc - 1 : 0);
    default:
        break;
    }
    if (isdigit((unsigned char)c)) {
        return c - '0' < shell.argc ? shell.argv[c - '0'] : "";
    }
    return NULL;
}

static const char *variable_value(const char *name, size_t n)
{
    char copy[NAME_BYTES];
    const char *value;

    if (n >= sizeof(copy)) {
        return "";
    }
    memcpy(copy, name, n);
    copy[n] = '\0';
    value = getenv(copy);
    return value != NULL ? value : "";
}

/*
 * The parameter at `at`, which points behind the `$`, `end` its limit. Its
 * value into *value and its length returned; 0 if there is no parameter.
 */
static size_t parameter_find(const char *at, const char *end,
                             const char **value)
{
    bool brace = at < end && *at == '{';
    const char *name = at + brace;
    size_t n;

    if (name >= end) {
        return 0;
    }
    *value = special_value(*name);
    n = *value != NULL ? 1 : expand_name_length(name);
    if (n == 0 || (brace && name[n] != '}')) {
        return 0;
    }
    if (*value == NULL) {
        *value = variable_value(name, n);
    }
    return n + 2 * brace;
}

static void value_put(const char *value, bool quoted)
{
    for (; *value != '\0'; value++) {
        bool blank = *value == ' ' || *value == '\t' || *value == '\n';

        if (blank && !quoted && !field.is_single) {
            field_end();
        } else if (!quoted && strchr("*?[", *value) != NULL) {
            field.has_wildcard = true;
            field_put(*value);
        } else {
            field_put_literal(*value);
        }
    }
}

/* A `$` at `at`: puts its value; returns the bytes consumed. */
static size_t dollar_put(const char *at, const char *end, bool quoted)
{
    const char *value;
    size_t n = parameter_find(at + 1, end, &value);

    if (n == 0) {
        field_put('$');
        return 1;
    }
    value_put(value, quoted);
    return n + 1;
}

/* The inside of double quotes from `at` to the closing one. */
static const char *double_quoted(const char *at, const char *end)
{
    while (*at != '"') {
        if (*at == '$') {
            at += dollar_put(at, end, true);
            continue;
        }
        if (*at == '\\' && strchr("$\"\\", at[1]) != NULL) {
            at++;
        }
        field_put_literal(*at++);
    }
    return at + 1;
}

static const char *single_quoted(const char *at)
{
    while (*at != '\'') {
        field_put_literal(*at++);
    }
    return at + 1;
}

/* One step at `at`, outside of quotes. */
static const char *plain_step(const char *at, const char *end)
{
    switch (*at) {
    case '\'':
        field.exists = true;
        return single_quoted(at + 1);
    case '"':
        field.exists = true;
        return double_quoted(at + 1, end);
    case '$':
        return at + dollar_put(at, end, false);
    case '\\':
        if (at + 1 < end) {
            at++;
        }
        field_put_literal(*at);
        return at + 1;
    case '*':
    case '?':
    case '[':
        field.has_wildcard = true;
        field_put(*at);
        return at + 1;
    default:
        field_put(*at);
        return at + 1;
    }
}

static void word_walk(const char *word, size_t n)
{
    const char *end = word + n;

    field_start();
    field.cause = NULL;
    while (word < end && field.cause == NULL) {
        word = plain_step(word, end);
    }
}

const char *expand_word(struct arguments *arguments, const char *word, size_t n)
{
    field.arguments = arguments;
    field.is_single = false;
    word_walk(word, n);
    field_end();
    return field.cause;
}

const char *expand_single(const char *word, size_t n)
{
    field.is_single = true;
    word_walk(word, n);
    if (field.cause != NULL) {
        return NULL;
    }
    field.text[field.n] = '\0';
    pattern_plain(field.text);
    return field.text;
}
