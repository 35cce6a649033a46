/* SPDX-License-Identifier: Apache-2.0 */
/* The status API's JSON. Times are ms since 1970 UTC unless a name says seconds; what is unknown is null. Each writer appends one value
 * without a line feed. `/api/v1` only grows. */
#ifndef SQ_PIPELINE_API_JSON_H
#define SQ_PIPELINE_API_JSON_H

#include "engine/base/buf.h"
#include "worker/pipeline/status.h"

void sq_api_write_status(const struct sq_pipeline *pipeline, struct sq_buf *out);
void sq_api_write_info(const struct sq_status *status, struct sq_buf *out);
void sq_api_write_probe(const struct sq_status *status, struct sq_buf *out);

/* Arrays, oldest first, of what is newer than `after`; *last (may be NULL) becomes the newest one's number. */
void sq_api_write_alerts(const struct sq_pipeline *pipeline, uint64_t after_seq, bool with_texts, uint64_t *last_seq, struct sq_buf *out);
void sq_api_write_dead_letters(const struct sq_pipeline *pipeline, uint64_t after_seq, uint64_t *last_seq, struct sq_buf *out);
/* [[second,consumed,scored,dead_lettered,label 0,label 1,...],...], only seconds that are over. */
void sq_api_write_series(const struct sq_pipeline *pipeline, int64_t after_second, int64_t *last_second, struct sq_buf *out);

/* The member "precisions": an object a layer, its products' rungs by name. */
void sq_api_write_precisions(const struct sq_model_info *model, struct sq_buf *out);

/* What a reload answers; `others` are the keys that wait for a restart, "model.threads, notify[].url". */
void sq_api_write_reloaded(struct sq_str others, struct sq_buf *out);

/* One alert as in the array above. */
void sq_api_write_alert(const struct sq_recent_alert *alert, bool with_texts, struct sq_buf *out);

#endif
