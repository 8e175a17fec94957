/* SPDX-License-Identifier: BSL-1.0 */
/* manifest_line.c - one line of the manifest as a list of words. */
#include "manifest_line.h"

#include "manifest_error.h"

#include <stdbool.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int byte_refuse(const struct line *line, size_t at, uint8_t byte,
                       struct manifest_error *error)
{
    static const char hex[] = "0123456789abcdef";
    const char digits[3] = {hex[byte >> 4], hex[byte & 15], '\0'};

    return manifest_error_set(error, line->number, (uint32_t)at + 1,
                              PIECES("byte 0x", digits,
                                     " is not printable ASCII"));
}

static int bytes_check(const struct line *line, size_t n,
                       struct manifest_error *error)
{
    const char *text = line->buffer;
    size_t i;

    for (i = 0; i < n; i++) {
        if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t') {
            return byte_refuse(line, i, (uint8_t)text[i], error);
        }
    }
    return 0;
}

/* Adds the word at `at`; returns the place behind it, or 0 and *error. */
static size_t word_add(struct line *line, size_t at,
                       struct manifest_error *error)
{
    char *buffer = line->buffer;
    bool quoted = buffer[at] == '"';
    size_t begin = at + quoted;
    size_t end = begin;

    while (end < MANIFEST_LINE_MAX_BYTES && buffer[end] != '\0' &&
           buffer[end] != '"' && (quoted || !is_blank(buffer[end]))) {
        end++;
    }
    if (quoted && buffer[end] == '\0') {
        manifest_error_set(error, line->number, (uint32_t)at + 1,
                           PIECES("quote without an end"));
        return 0;
    }
    if (!quoted && buffer[end] == '"') {
        manifest_error_set(error, line->number, (uint32_t)end + 1,
                           PIECES("quote inside a word"));
        return 0;
    }
    if (quoted && buffer[end + 1] != '\0' && !is_blank(buffer[end + 1])) {
        manifest_error_set(error, line->number, (uint32_t)end + 2,
                           PIECES("no blank behind a quoted word"));
        return 0;
    }
    line->words[line->word_count].begin = (uint16_t)begin;
    line->words[line->word_count].column = (uint16_t)(at + 1);
    line->word_count++;
    if (buffer[end] == '\0') {
        return end;
    }
    buffer[end] = '\0';
    return end + 1;
}

int line_split(struct line *line, const char *text, size_t begin, size_t end,
               struct manifest_error *error)
{
    size_t at = 0;
    size_t n = 0;

    line->word_count = 0;
    if (end > begin && text[end - 1] == '\r') {
        end--;
    }
    for (; begin < end && n < MANIFEST_LINE_MAX_BYTES; begin++) {
        line->buffer[n++] = text[begin];
    }
    line->buffer[n] = '\0';
    if (begin < end) {
        return manifest_error_set(error, line->number,
                                  MANIFEST_LINE_MAX_BYTES + 1,
                                  PIECES("line is longer than 256 bytes"));
    }
    if (bytes_check(line, n, error) != 0) {
        return -1;
    }
    while (at < n) {
        if (is_blank(line->buffer[at])) {
            at++;
            continue;
        }
        if (line->buffer[at] == '#') {
            return 0;
        }
        if (line->word_count >= LINE_WORDS_MAX) {
            return manifest_error_set(error, line->number, (uint32_t)at + 1,
                                      PIECES("more words than any key "
                                             "takes"));
        }
        at = word_add(line, at, error);
        if (at == 0) {
            return -1;
        }
    }
    return 0;
}

/* The value of a digit, or 16. */
static uint32_t digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (uint32_t)(c - 'a' + 10);
    }
    if (c >= 'A' && c <= 'F') {
        return (uint32_t)(c - 'A' + 10);
    }
    return 16;
}

const char *number_read(const char *text, uint64_t limit, uint64_t *number)
{
    uint32_t base = 10;
    uint64_t value = 0;
    const char *digits;
    uint32_t digit;

    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    for (digits = text; (digit = digit_value(*text)) < base; text++) {
        if (digit > limit || value > (limit - digit) / base) {
            return NULL;
        }
        value = value * base + digit;
    }
    if (text == digits) {
        return NULL;
    }
    *number = value;
    return text;
}
