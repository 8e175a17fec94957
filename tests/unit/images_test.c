/* SPDX-License-Identifier: BSL-1.0
 *
 * IMAGES boot archives, each damaged in one place, read as the root server does
 * at boot: the archive, the manifest in it, the programs that it names. Each is
 * taken as it is, or refused with a reason, and but for programs, whose places
 * may be addresses, with a place inside the file; what is read is not changed.
 * (That the machine goes on: tests/system/test_manifest.py and
 * tests/system/test_program.py.)
 */
#include "rootserver/archive.h"
#include "rootserver/manifest.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/tap.h"

#define IMAGES    300u
#define KINDS     4u
#define BYTES_MAX 32768u

static const char manifest_text[] = "epoch 1767225600\n"
                                    "domain uart\n"
                                    "file bin/uart\n"
                                    "device 0x3f201000 4096\n"
                                    "irq 57\n"
                                    "provides console\n"
                                    "restart always\n"
                                    "domain shell\n"
                                    "file bin/shell\n"
                                    "needs console\n"
                                    "args \"one word\" two\n";

/* What is said of an image, and where: a file of the archive, a place in it. */
struct verdict {
    const char *file, *reason;
    uint64_t where, end;
};

static uint8_t archive[BYTES_MAX];
static uint64_t archive_bytes;
static struct manifest manifest;
static struct manifest_error manifest_error;
static uint64_t state = 20261126;

static uint32_t below(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* ---- the boot ---------------------------------------------------------- */

static struct verdict program_read(const uint8_t *base, uint64_t bytes,
                                   const char *name)
{
    struct archive_entry entry;
    struct elf_plan plan;
    struct elf_fault fault;
    if (archive_find(base, bytes, name, &entry) != ARCHIVE_FOUND) {
        return (struct verdict){name, "is not in the archive", 0, 0};
    }
    if (elf_plan(entry.data, entry.size_bytes, &plan, &fault) != 0) {
        return (struct verdict){name, fault.reason, fault.where, UINT64_MAX};
    }
    return (struct verdict){name,
                            plan_is_sound(&plan, entry.size_bytes) ? NULL : "",
                            0, 0};
}

static struct verdict boot(const uint8_t *base, uint64_t bytes)
{
    struct archive_fault fault;
    struct archive_entry entry;
    struct verdict v = {"system", NULL, 0, 0};
    if (archive_check(base, bytes, &fault) != 0) {
        return (struct verdict){"archive", fault.reason, fault.where, bytes};
    }
    if (archive_find(base, bytes, "system", &entry) != ARCHIVE_FOUND) {
        return (struct verdict){"system", "is not in the archive", 0, 0};
    }
    if (manifest_parse((const char *)entry.data, entry.size_bytes, &manifest,
                       &manifest_error) != 0) {
        return (struct verdict){"system", manifest_error.message,
                                manifest_error.line, entry.size_bytes};
    }
    for (uint32_t i = 0; v.reason == NULL && i < manifest.domain_count; i++) {
        v = program_read(base, bytes,
                         manifest_string(&manifest, manifest.domains[i].file));
    }
    return v;
}

/* ---- damage ------------------------------------------------------------ */

/* Where the archive's own headers, the manifest and the programs' headers are,
 * rather than their text: the place of one of these strings, and a bit on. */
static uint64_t sore_place(void)
{
    static const char *const mark[] = {"070701", "epoch",
                                       "\x7f"
                                       "ELF"};
    const char *m = mark[below(3)];
    uint64_t start = below((uint32_t)archive_bytes);
    for (uint64_t i = 0; i < archive_bytes; i++) {
        uint64_t at = (start + i) % archive_bytes;
        if (at + 6 < archive_bytes && memcmp(archive + at, m, strlen(m)) == 0) {
            return (at + below(344)) % archive_bytes;
        }
    }
    return start;
}

/* Returns how many bytes are left. */
static uint64_t damage(uint8_t *base, uint32_t kind)
{
    static const uint64_t odd[] = {0, 1, 65535, 1ull << 31, 1ull << 63, ~0ull};
    uint64_t at = sore_place();
    switch (kind) {
    case 0:
        return at;
    case 1:
        base[at] ^= (uint8_t)(1u << below(8));
        break;
    case 2:
        base[at] = (uint8_t)below(256);
        break;
    default:
        at = at / 8 * 8;
        memcpy(base + at, &odd[below(6)],
               archive_bytes - at < 8 ? archive_bytes - at : 8);
        break;
    }
    return archive_bytes;
}

/* A damaged copy of its very length; true if it is dealt with as it must. */
static bool one_image(uint32_t i, uint32_t *refusals)
{
    uint8_t *base = malloc(archive_bytes), *same = malloc(archive_bytes);
    memcpy(base, archive, archive_bytes);
    uint64_t bytes = damage(base, i % KINDS);
    base = realloc(base, bytes + (bytes == 0));
    memcpy(same, base, bytes);
    struct verdict v = boot(base, bytes);
    bool good = memcmp(same, base, bytes) == 0 &&
                (v.reason == NULL || (*v.reason != '\0' && v.where <= v.end));
    *refusals += v.reason != NULL;
    if (!good) {
        printf("# image %u: %s: %s %llu\n", i, v.file, v.reason,
               (unsigned long long)v.where);
    }
    free(base);
    free(same);
    return good;
}

/* ---- the good image ---------------------------------------------------- */

static bool write_file(const char *folder, const char *name, const void *data,
                       size_t bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(data, 1, bytes, file) == bytes;
    return file != NULL && fclose(file) == 0 && good;
}

static bool make_archive(void)
{
    char folder[] = "/tmp/images_test.XXXXXX", command[512];
    image_make();
    if (mkdtemp(folder) == NULL ||
        !write_file(folder, "system", manifest_text,
                    sizeof(manifest_text) - 1) ||
        !write_file(folder, "program", image, sizeof(image))) {
        return false;
    }
    snprintf(command, sizeof(command),
             "python3 scripts/mkarchive.py %s/a system=%s/system "
             "bin/uart=%s/program bin/shell=%s/program && cat %s/a; rm -r %s",
             folder, folder, folder, folder, folder, folder);
    FILE *pipe = popen(command, "r");
    if (pipe != NULL) {
        archive_bytes = fread(archive, 1, sizeof(archive), pipe);
    }
    return pipe != NULL && pclose(pipe) == 0;
}

int main(void)
{
    uint32_t good = 0, refusals = 0;
    CHECK(make_archive() && archive_bytes < BYTES_MAX, "an archive is made");
    CHECK(boot(archive, archive_bytes).reason == NULL, "which is good");
    for (uint32_t i = 0; i < IMAGES; i++) {
        good += one_image(i, &refusals);
    }
    printf("# %u images, %u refused\n", IMAGES, refusals);
    CHECK(good == IMAGES, "each damaged image is taken, or refused by name");
    CHECK(refusals > IMAGES / 2, "most are refused");
    return tap_end();
}
