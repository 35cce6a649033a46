/* SPDX-License-Identifier: Apache-2.0 */
/* What happened lately, for the page and the status API: rings of transitions, dead letters and seconds. Thread: the loop's. */
#ifndef SQ_PIPELINE_RECENT_H
#define SQ_PIPELINE_RECENT_H

#include "worker/pipeline/dead_letter.h"
#include "worker/pipeline/status.h"

struct sq_recent;

int sq_recent_open(struct sq_recent **recent, struct sq_err *err);
void sq_recent_close(struct sq_recent *recent);

void sq_recent_alert_add(struct sq_recent *recent, const struct sq_alert *alert, bool restored, struct sq_str json, int64_t now_ms);
void sq_recent_dead_letter_add(struct sq_recent *recent, const struct sq_origin *origin, int code, const char *message, int64_t now_ms);
/* The point of this second, to count in; those between it and the last one are zeroed. */
struct sq_series_point *sq_recent_second(struct sq_recent *recent, int64_t now_ms);

void sq_recent_alerts(const struct sq_recent *recent, uint64_t after_seq, sq_recent_alert_fn each, void *ctx);
void sq_recent_dead_letters(const struct sq_recent *recent, uint64_t after_seq, sq_recent_dead_letter_fn each, void *ctx);
void sq_recent_series(const struct sq_recent *recent, int64_t since_second, sq_series_fn each, void *ctx);

#endif
