/* SPDX-License-Identifier: BSL-1.0 */
/*
 * caps: who holds which capability. An OBJECT of a domain is written as `caps
 * DOMAIN` lists it: slot:N of its CSpace, kept:N of what the root server keeps
 * for it, irq:N, device:ADDRESS, service:NAME, channel:N.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vesper/authority.h>

enum { CAP_NOTE_BYTES = 96, CAP_RIGHTS_BYTES = 8 };

/* caps.c: each returns an exit status. */
int caps_all(void);
int caps_of(uint32_t domain);
int caps_why(uint32_t domain, const char *object);
int caps_diff(void);

/* caps_text.c */
const char *cap_type(const struct sys_cap *cap);
/* "rw---m-" in the order of kernel/abi/abi.toml. */
void cap_rights(const struct sys_cap *cap, char out[CAP_RIGHTS_BYTES]);
/* What the type's words say: "at 0x40a0000000", "bit 8 of files[5]". */
void cap_note(const struct sys_cap *cap, char out[CAP_NOTE_BYTES]);
/* Is it memory, or an object in memory? */
bool cap_is_memory(const struct sys_cap *cap);
/* A device page that is mapped into that domain. */
bool cap_is_device_of(const struct sys_cap *cap, uint32_t domain);
/* Bytes of memory or addresses; 0: it is neither. */
uint64_t cap_bytes(const struct sys_cap *cap);

/* caps_text.c: what the manifest says. Each: false: it does not. */
bool fact_number(int32_t declared, enum fact_kind kind, uint64_t value,
                 struct sys_fact *out);
bool fact_text(int32_t declared, enum fact_kind kind, const char *text,
               struct sys_fact *out);
/* May domains with the needs of `rights` connect to the service? */
bool fact_need(int32_t rights, const char *service, struct sys_fact *out);
/* The name of a domain of the manifest. */
bool fact_domain(int32_t declared, struct sys_fact *out);
