/* SPDX-License-Identifier: BSL-1.0
 *
 * Which errors kernel/abi/abi.toml promises of each system call, read at run
 * time, and which ones tests have seen. Paths are relative to the repository.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A system call ended with this error: fails the program if abi.toml does not
 * list it. Errors beyond ERR_COUNT (internal) are ignored. */
void abi_note(uint32_t nr, uint32_t error);

/* Names, once an error was noted. */
const char *abi_call_name(uint32_t nr);
const char *abi_error_name(uint32_t error);

/* Prints, as comments, each promised error not seen; their number. */
uint32_t abi_unseen(uint32_t first, uint32_t last);

/* How many system calls have succeeded; names the others, as comments. */
uint32_t abi_successes(void);
