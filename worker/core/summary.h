/* SPDX-License-Identifier: Apache-2.0 */
/* The sentence of an alert, from a template: {{rule}} {{entity}} {{severity}} {{matched}} {{count}} {{rate}} {{baseline_rate}}. */
#ifndef SQ_CORE_SUMMARY_H
#define SQ_CORE_SUMMARY_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "proto/records.h"

enum { SQ_SUMMARY_BYTES_MAX = 1024 };

/* SQ_E_CONFIG for a placeholder that does not exist or does not end; `where` stands before the message. */
int sq_summary_check(const char *template, const char *where, struct sq_err *err);

/* Writes at most SQ_SUMMARY_BYTES_MAX bytes, cut at a character. The template was checked; what an entity is called is never read as
 * a template. */
void sq_summary_write(const char *template, const struct sq_alert *alert, struct sq_buf *out);

#endif
