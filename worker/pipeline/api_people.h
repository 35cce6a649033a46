/* SPDX-License-Identifier: Apache-2.0 */
/* What people tell a worker over HTTP: that they took an alert, or want to hear nothing of some for a while. ops/docs/HTTP.md has the forms.
 * Each call is answered before the function returns. stage NULL: the alert stage is off. Thread: the loop's. */
#ifndef SQ_PIPELINE_API_PEOPLE_H
#define SQ_PIPELINE_API_PEOPLE_H

#include "worker/io/http.h"
#include "worker/pipeline/alert_stage.h"

void sq_api_acknowledge(struct sq_alert_stage *stage, struct sq_http_call *call, struct sq_str body); /* the call's name is the alert's id */
void sq_api_silence(struct sq_alert_stage *stage, struct sq_http_call *call, struct sq_str body);
void sq_api_unsilence(struct sq_alert_stage *stage, struct sq_http_call *call); /* the call's name is the silence's id */
void sq_api_write_silences(const struct sq_alert_stage *stage, struct sq_buf *out); /* {"silences":[...]} */

#endif
