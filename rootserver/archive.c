/* SPDX-License-Identifier: BSL-1.0 */
/*
 * archive.c - files in the boot archive: cpio, format "newc".
 *
 * An entry is a header of 110 bytes (the magic "070701" and 13 numbers of 8
 * hexadecimal digits), the name with its NUL, and the data; name and data are
 * each padded to a multiple of 4 from the begin of the archive. The name field
 * may be longer than the name: mkarchive.py aligns the data in that way. The
 * last entry is named "TRAILER!!!".
 */
#include "archive.h"

#include <stdbool.h>
#include <string.h>

enum {
    HEADER_BYTES = 110,
    MAGIC_BYTES = 6,
    NUMBER_BYTES = 8,
    /* Which of the 13 numbers. */
    NUMBER_MODE = 1,
    NUMBER_FILE_BYTES = 6,
    NUMBER_NAME_BYTES = 11,
    /* File type bits of the mode. */
    MODE_TYPE = 0170000,
    MODE_REGULAR = 0100000,
};

/* One entry of any kind, as places in the archive. */
struct record {
    uint64_t mode;
    uint64_t name;
    uint64_t data;
    uint64_t data_bytes;
    uint64_t next;
};

static int refuse(struct archive_fault *fault, const char *reason,
                  uint64_t where)
{
    fault->reason = reason;
    fault->where = where;
    return -1;
}

static uint64_t round_up_4(uint64_t n)
{
    return (n + 3) & ~UINT64_C(3);
}

/* The value of number `index`; false if it has other than hex digits. */
static bool number_read(const uint8_t *header, uint32_t index, uint64_t *out)
{
    const uint8_t *digits = header + MAGIC_BYTES + index * NUMBER_BYTES;
    uint64_t value = 0;
    uint32_t i;

    for (i = 0; i < NUMBER_BYTES; i++) {
        uint8_t c = digits[i];

        if (c >= '0' && c <= '9') {
            value = value * 16 + (c - '0');
        } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
            value = value * 16 + ((c | 32) - 'a' + 10u);
        } else {
            return false;
        }
    }
    *out = value;
    return true;
}

/* Checks the header at `at` and reads what counts of it. */
static int header_read(const uint8_t *base, uint64_t bytes, uint64_t at,
                       struct record *record, struct archive_fault *fault)
{
    const uint8_t *header;
    uint64_t name_bytes;
    uint64_t name_end;

    if (bytes < HEADER_BYTES || at > bytes - HEADER_BYTES) {
        return refuse(fault, "is truncated: no header or trailer at byte", at);
    }
    header = base + at;
    if (memcmp(header, "070701", MAGIC_BYTES) != 0) {
        return refuse(fault, "is not cpio newc: no magic at byte", at);
    }
    if (!number_read(header, NUMBER_MODE, &record->mode) ||
        !number_read(header, NUMBER_FILE_BYTES, &record->data_bytes) ||
        !number_read(header, NUMBER_NAME_BYTES, &name_bytes)) {
        return refuse(fault, "has a bad digit in the header at byte", at);
    }
    record->name = at + HEADER_BYTES;
    name_end = record->name + name_bytes; /* of 32 bits: does not wrap */
    if (name_end > bytes) {
        return refuse(fault, "is truncated in the name of the entry at byte",
                      at);
    }
    if (name_bytes < 2 || base[record->name] == '\0' ||
        base[name_end - 1] != '\0') {
        return refuse(fault, "has a bad name in the entry at byte", at);
    }
    record->data = round_up_4(name_end);
    return 0;
}

static int record_read(const uint8_t *base, uint64_t bytes, uint64_t at,
                       struct record *record, struct archive_fault *fault)
{
    if (header_read(base, bytes, at, record, fault) != 0) {
        return -1;
    }
    if (record->data > bytes || record->data_bytes > bytes - record->data) {
        return refuse(fault, "is truncated in the data of the entry at byte",
                      at);
    }
    record->next = round_up_4(record->data + record->data_bytes);
    return 0;
}

/* Like archive_next(), but tells why an archive is broken. */
static enum archive_result entry_next(const uint8_t *base, uint64_t bytes,
                                      uint64_t *cursor,
                                      struct archive_entry *entry,
                                      struct archive_fault *fault)
{
    struct record record;

    do {
        if (record_read(base, bytes, *cursor, &record, fault) != 0) {
            return ARCHIVE_BROKEN;
        }
        if (strcmp((const char *)base + record.name, "TRAILER!!!") == 0) {
            return ARCHIVE_END;
        }
        *cursor = record.next;
    } while ((record.mode & MODE_TYPE) != MODE_REGULAR);
    entry->name = (const char *)base + record.name;
    entry->data = base + record.data;
    entry->size_bytes = record.data_bytes;
    return ARCHIVE_FOUND;
}

enum archive_result archive_next(const void *base, uint64_t bytes,
                                 uint64_t *cursor, struct archive_entry *entry)
{
    struct archive_fault fault;

    return entry_next(base, bytes, cursor, entry, &fault);
}

enum archive_result archive_find(const void *base, uint64_t bytes,
                                 const char *name, struct archive_entry *entry)
{
    struct archive_entry found;
    enum archive_result result;
    uint64_t cursor = 0;

    do {
        result = archive_next(base, bytes, &cursor, &found);
    } while (result == ARCHIVE_FOUND && strcmp(found.name, name) != 0);
    if (result == ARCHIVE_FOUND) {
        *entry = found;
    }
    return result;
}

int archive_check(const void *base, uint64_t bytes, struct archive_fault *fault)
{
    struct archive_entry entry;
    enum archive_result result;
    uint64_t cursor = 0;

    do {
        result = entry_next(base, bytes, &cursor, &entry, fault);
    } while (result == ARCHIVE_FOUND);
    return result == ARCHIVE_END ? 0 : -1;
}
