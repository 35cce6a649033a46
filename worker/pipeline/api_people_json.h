/* SPDX-License-Identifier: Apache-2.0 */
/* What people send about alerts, and what they are answered, as JSON: ops/docs/HTTP.md has the forms. */
#ifndef SQ_PIPELINE_API_PEOPLE_JSON_H
#define SQ_PIPELINE_API_PEOPLE_JSON_H

#include "engine/base/buf.h"
#include "worker/pipeline/alert_stage.h"

struct sq_acknowledgement {
    char by[SQ_RULE_TEXT_BYTES], comment[SQ_RULE_TEXT_BYTES];
};

/* Sixteen hexadecimal digits, as ids are written everywhere. */
bool sq_api_parse_id(const char *text, uint64_t *id);

/* SQ_E_DECODE: err says which member is wrong. A silence without an id gets a new one. */
int sq_api_read_acknowledgement(struct sq_str body, struct sq_acknowledgement *said, struct sq_err *err);
int sq_api_read_silence(struct sq_str body, struct sq_silence *silence, struct sq_err *err);

/* {"id","covered","partitions","saved"}; of a coverage of no partitions nothing is written. */
void sq_api_write_outcome(uint64_t id, const struct sq_alert_coverage *coverage, bool is_saved, struct sq_buf *out);
/* The members that say how many partitions' alerts this worker knows: ,"covered":..,"partitions":.. */
void sq_api_write_covered(const struct sq_alert_stage *stage, struct sq_buf *out); /* stage NULL: none */
/* {"silences":[...]}; stage NULL: none. */
void sq_api_write_silences(const struct sq_alert_stage *stage, struct sq_buf *out);

#endif
