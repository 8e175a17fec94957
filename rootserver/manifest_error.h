/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_error.h - put together an error message without stdio.
 *
 * Private to manifest.c and manifest_check.c. A message is a list of pieces;
 * a piece that is longer than a name, file or key should be is cut, so that
 * the end of the message, which tells what is wrong, is always there.
 */
#pragma once

#include <stdint.h>

#include "manifest.h"

/* Begins an empty message at a place in the text. */
void manifest_error_begin(struct manifest_error *error, uint32_t line,
                          uint32_t column);

/* Appends `piece`, up to the end of the buffer. */
void manifest_error_add(struct manifest_error *error, const char *piece);

/* Appends a number in decimal. */
void manifest_error_add_number(struct manifest_error *error, uint64_t number);

/* Begins a message and adds pieces[0..] up to a NULL; returns -1. */
int manifest_error_set(struct manifest_error *error, uint32_t line,
                       uint32_t column, const char *const pieces[]);

/* The list of pieces for manifest_error_set(). */
#define PIECES(...) ((const char *const[]){__VA_ARGS__, NULL})
