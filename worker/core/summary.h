/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations of an alert, from templates: {{rule}} {{entity}} {{label}} {{severity}} {{matched}} {{count}} {{rate}} {{baseline_rate}}
 * {{baseline_low}} {{baseline_high}} {{lift_ratio}} {{strength}} {{threshold}} {{authors}} {{collapsed}} {{sample}}. */
#ifndef SQ_CORE_SUMMARY_H
#define SQ_CORE_SUMMARY_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "proto/records.h"

enum { SQ_SUMMARY_BYTES_MAX = 1024 };

/* What an alert says where the rule has no words of its own. */
const char *sq_summary_default(enum sq_alert_kind kind);

/* SQ_E_CONFIG for a placeholder that does not exist or does not end; `where` and the annotation's key stand before the message. */
int sq_summary_check(const char *template, const char *where, const char *key, struct sq_err *err);

/* Writes at most SQ_SUMMARY_BYTES_MAX bytes, cut at a character. The template was checked; what an entity is called is never read as
 * a template. */
void sq_summary_write(const char *template, const struct sq_alert *alert, struct sq_buf *out);

#endif
