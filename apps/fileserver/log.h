/* SPDX-License-Identifier: BSL-1.0
 *
 * One line on the console's log: "files: SUBJECT: TEXT".
 */
#pragma once

void log_line(const char *subject, const char *text);
