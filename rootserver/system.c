/* SPDX-License-Identifier: BSL-1.0
 *
 * The system as the manifest describes it: pins, domains, who gets which device
 * and who may talk to whom; starting again what ends.
 */
#include "root.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "authority.h"

#define MANIFEST_FILE "system.manifest"
#define GPIO          0x3f200000ull
#define PM            0x3f100000ull
#define PM_RSTC       7 /* in words */
#define PM_RSTS       8
#define PM_PASSWORD   0x5a000000u
#define PM_HALT       0x555u
#define PM_FULL_RESET 0x20u
#define RESTARTS_MAX  5u /* in a row, each within RESTART_NS of start */
#define RESTART_NS    1000000000ull
#define RW            (RIGHT_READ | RIGHT_WRITE)

struct manifest manifest;
int64_t wall_epoch_ns;

static const void *archive;
static uint64_t archive_bytes;
static uint32_t restarts[MANIFEST_DOMAINS_MAX];
static uint32_t quick_deaths[MANIFEST_DOMAINS_MAX];
static uint64_t started[MANIFEST_DOMAINS_MAX];

/* What is started when the manifest cannot be: enough to see and to type. */
static const char fallback[] =
    "domain uart\n file drivers/uart\n device 0x3f201000 4096\n irq 57\n"
    " priority 200\n provides console\n restart always\n"
    "domain shell\n file shell\n needs console\n stdio console\n"
    " memory 64M\n restart always\n";

/* ---- files ------------------------------------------------------------- */

int system_file(const char *name, const void **data, uint64_t *bytes)
{
    struct archive_entry entry;
    if (archive_find(archive, archive_bytes, name, &entry) != ARCHIVE_FOUND) {
        return ENOENT;
    }
    *data = entry.data;
    *bytes = entry.size_bytes;
    return 0;
}

static bool exists(void *context, const char *name)
{
    const void *data;
    uint64_t bytes;
    (void)context;
    return system_file(name, &data, &bytes) == 0;
}

static bool is_policy(void *context, const char *name)
{
    (void)context;
    return scheduler_policy_find(name) != NULL;
}

/* ---- devices ----------------------------------------------------------- */

volatile uint32_t *device_map(uint64_t address, uint64_t va)
{
    uint32_t frame = device_frame(address);
    extern uint32_t slot_pages;
    return frame != 0 && frames_map(frame, slot_pages, va, RW, 1) == ERR_OK
               ? (volatile uint32_t *)(uintptr_t)va
               : NULL;
}

void device_unmap(uint64_t address)
{
    uint32_t frame = device_frame(address);
    if (frame != 0) {
        (void)frames_unmap(frame, 1);
    }
}

static int give_device(struct domain *d, uint64_t address, uint64_t va)
{
    uint32_t frame = device_frame(address);
    if (frame == 0) {
        return ENODEV;
    }
    (void)frames_unmap(frame, 1); /* of the domain that had it before */
    log_device_given(address);
    return frames_map(frame, domain_object(d, OBJECT_DEVICES), va, RW, 1) ==
                   ERR_OK
               ? 0
               : ENODEV;
}

static int give_irqs(struct domain *d, const struct manifest_domain *m)
{
    for (uint32_t i = 0; i < m->irq_count; i++) {
        uint32_t irq = memory_slot_irq() + m->irqs[i].number;
        cptr_t own = domain_object(d, OBJECT_EVENT_IRQ);
        enum abi_error e =
            sys_cap_copy(CPTR(d->cnode, SLOT_IRQ + i), irq, RIGHTS_ALL, 0, 0);
        if (e == ERR_OK) {
            e = sys_event_mint(own, domain_object(d, OBJECT_DISPATCHER),
                               EVENT_IRQ + i);
        }
        if (e == ERR_OK) {
            e = sys_irq_bind(irq, own);
            (void)sys_cap_delete(own);
        }
        if (e != ERR_OK) {
            say("system: %s: interrupt %u: %s", d->name, m->irqs[i].number,
                abi_error_name(e));
            return ENODEV;
        }
    }
    return 0;
}

int system_devices(struct domain *d, int32_t index, struct start_info *info)
{
    const struct manifest_domain *m = &manifest.domains[index];
    uint64_t base = d->block_address + (1ull << BLOCK_LOG2) - STRETCH_BYTES;
    uint64_t va = base;
    d->drives = m->device_count > 0;
    int e = d->drives ? domain_stretch(d, OBJECT_DEVICES, base) : 0;
    for (uint32_t i = 0; e == 0 && i < m->device_count; i++) {
        info->device[i].address = va;
        info->device[i].bytes = m->devices[i].bytes;
        for (uint64_t at = 0; e == 0 && at < m->devices[i].bytes;
             at += PAGE_BYTES) {
            e = give_device(d, m->devices[i].base + at, va);
            va += PAGE_BYTES;
        }
        info->device_count++;
    }
    if (e == 0 && d->drives &&
        sys_stretch_attach(domain_object(d, OBJECT_DEVICES),
                           domain_object(d, OBJECT_DOMAIN), RW) != ERR_OK) {
        e = EIO;
    }
    return e == 0 ? give_irqs(d, m) : e;
}

bool system_has_device(const struct domain *d, uint64_t address)
{
    const struct manifest_domain *m =
        d->manifest >= 0 ? &manifest.domains[d->manifest] : NULL;
    for (uint32_t i = 0; m != NULL && i < m->device_count; i++) {
        if (address - m->devices[i].base < m->devices[i].bytes) {
            return true;
        }
    }
    return false;
}

static void set_pins(void)
{
    volatile uint32_t *gpio = device_map(GPIO, ROOT_PAGES_VA + 0x30000);
    for (uint32_t i = 0; gpio != NULL && i < manifest.pins_count; i++) {
        const struct manifest_pins *p = &manifest.pins[i];
        for (uint32_t pin = p->first; pin <= p->last; pin++) {
            uint32_t shift = pin % 10 * 3;
            uint32_t v = gpio[pin / 10] & ~(7u << shift);
            gpio[pin / 10] = v | (uint32_t)p->function << shift;
        }
    }
    device_unmap(GPIO);
}

_Noreturn void system_power(bool reboot)
{
    volatile uint32_t *pm = device_map(PM, ROOT_PAGES_VA + 0x40000);
    if (!reboot) {
        pm[PM_RSTS] = PM_PASSWORD | PM_HALT;
    }
    pm[PM_RSTC] = PM_PASSWORD | PM_FULL_RESET;
    for (;;) {
        (void)sys_block(~0ull);
    }
}

/* ---- domains ----------------------------------------------------------- */

bool system_may_connect(const struct domain *client, const char *service)
{
    /* A program may use what the domain may that started it. */
    return authority_may_connect(&manifest, (uint32_t)client->origin, service);
}

static uint32_t fill_args(const struct manifest_domain *m, char *to,
                          uint32_t room)
{
    uint32_t n = 0;
    n +=
        (uint32_t)snprintf(to, room, "%s", manifest_string(&manifest, m->name));
    n++;
    for (uint32_t i = 0; i < m->arg_count && n < room; i++) {
        n += (uint32_t)snprintf(to + n, room - n, "%s",
                                manifest_string(&manifest, m->args[i])) +
             1;
    }
    return n < room ? n : room;
}

static int start_one(int32_t index)
{
    const struct manifest_domain *m = &manifest.domains[index];
    const char *name = manifest_string(&manifest, m->name);
    char strings[1024];
    struct load_request r = {
        .name = name,
        .manifest = index,
        .params = {.priority = m->priority,
                   .weight = m->weight,
                   .period = schedule_ticks(m->period_us * 1000ull),
                   .budget = schedule_ticks(m->budget_us * 1000ull),
                   .slack = m->slack},
        .quota = m->memory_bytes,
        .optimistic = m->optimistic_bytes,
        .stack_bytes = SERVER_STACK,
        .argc = 1u + m->arg_count,
        .strings = strings,
        .cwd = "/",
    };
    r.strings_bytes = fill_args(m, strings, sizeof(strings));
    if (m->stdio.service.text != 0) {
        r.fd_count = 3;
        for (int32_t fd = 0; fd < 3; fd++) {
            r.fd[fd].fd = fd;
            r.fd[fd].flags = 2; /* O_RDWR */
            strncpy(r.fd[fd].service,
                    manifest_string(&manifest, m->stdio.service),
                    START_SERVICE_BYTES);
        }
    }
    int e = system_file(manifest_string(&manifest, m->file), &r.file,
                        &r.file_bytes);
    struct domain *d;
    if (e == 0) {
        e = load(&r, &d);
    }
    if (e != 0) {
        say("system: cannot start %s: %s", name, strerror(e));
        return e;
    }
    started[index] = now();
    for (uint32_t i = 0; i < m->provide_count; i++) {
        const char *service = manifest_string(&manifest, m->provides[i]);
        service_provide(d, service);
        if (strcmp(service, "console") == 0) {
            log_release();
        }
    }
    return 0;
}

static bool too_quick(int32_t index)
{
    bool quick = ticks_to_ns(now() - started[index]) < RESTART_NS;
    quick_deaths[index] = quick ? quick_deaths[index] + 1 : 0;
    return quick_deaths[index] >= RESTARTS_MAX;
}

/* It stays away. Without a critical domain the machine starts again. */
static void give_up(const struct manifest_domain *m, const char *name)
{
    if (m->critical) {
        say("system: %s is critical: rebooting", name);
        system_power(true);
    }
}

void system_ended(int32_t index, int status)
{
    const struct manifest_domain *m = &manifest.domains[index];
    const char *name = manifest_string(&manifest, m->name);
    if (m->restarts != MANIFEST_RESTART_ALWAYS &&
        restarts[index] >= m->restarts) {
        say("system: %s ended with status %d", name, status >> 8);
        give_up(m, name);
        return;
    }
    if (too_quick(index)) {
        say("system: %s ended %u times at once: not started again", name,
            RESTARTS_MAX);
        give_up(m, name);
        return;
    }
    restarts[index]++;
    if (status != 0) {
        say("system: starting %s again", name);
    }
    if (start_one(index) != 0) {
        give_up(m, name);
    }
}

/* ---- the manifest ------------------------------------------------------ */

static bool read_manifest(const char *text, uint64_t bytes)
{
    struct manifest_error error;
    if (manifest_parse(text, bytes, &manifest, &error) == 0 &&
        manifest_check_files(&manifest, exists, NULL, &error) == 0 &&
        manifest_check_schedule(&manifest, is_policy, NULL, &error) == 0 &&
        manifest_check_memory(&manifest, memory_free_bytes(), &error) == 0) {
        return true;
    }
    say("%s:%u:%u: %s", MANIFEST_FILE, error.line, error.column, error.message);
    return false;
}

static void load_manifest(void)
{
    struct archive_fault fault;
    const void *text = NULL;
    uint64_t bytes = 0;
    if (archive_check(archive, archive_bytes, &fault) != 0) {
        say("boot archive %s %llu", fault.reason,
            (unsigned long long)fault.where);
    } else if (system_file(MANIFEST_FILE, &text, &bytes) != 0) {
        say("boot archive: there is no %s", MANIFEST_FILE);
    } else if (read_manifest(text, bytes)) {
        return;
    }
    say("system: starting only a console and a shell");
    (void)read_manifest(fallback, sizeof(fallback) - 1);
}

void system_start(const struct boot_info *info)
{
    archive = (const void *)(uintptr_t)info->archive;
    archive_bytes = info->archive_bytes;
    load_manifest();
    wall_epoch_ns = (int64_t)(manifest.epoch_seconds * 1000000000ull) -
                    (int64_t)ticks_to_ns(now());
    set_pins();
    schedule_init(manifest.schedule.text != 0
                      ? scheduler_policy_find(
                            manifest_string(&manifest, manifest.schedule))
                      : &scheduler_fixed_priority);
    for (uint32_t i = 0; i < manifest.domain_count; i++) {
        (void)start_one(manifest.order[i]);
    }
}
