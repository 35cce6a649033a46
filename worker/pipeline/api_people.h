/* SPDX-License-Identifier: Apache-2.0 */
/* What people tell a worker over HTTP: that they took an alert, or want to hear nothing of some for a while. ops/docs/HTTP.md has the forms.
 *
 * Who is told "done" must be able to rely on it, so a call is answered once the state with what was said is committed: 200. Where that
 * takes longer than SQ_API_SAVE_WAIT_MS it is answered 202 instead: in force here, and not safe yet. Thread: the loop's. */
#ifndef SQ_PIPELINE_API_PEOPLE_H
#define SQ_PIPELINE_API_PEOPLE_H

#include "worker/io/http.h"
#include "worker/pipeline/alert_stage.h"

enum { SQ_API_SAVE_WAIT_MS = 5000 };

struct sq_api_people;

/* stage NULL: the alert stage is off. NULL: no memory. */
struct sq_api_people *sq_api_people_open(struct sq_alert_stage *stage);
/* Answers whoever still waits, 503. Before the server closes, and before the stage. */
void sq_api_people_close(struct sq_api_people *people); /* NULL is fine */

void sq_api_people_acknowledge(struct sq_api_people *people, struct sq_http_call *call, struct sq_str body); /* the call's name is the alert's id */
void sq_api_people_silence(struct sq_api_people *people, struct sq_http_call *call, struct sq_str body);
void sq_api_people_unsilence(struct sq_api_people *people, struct sq_http_call *call); /* the call's name is the silence's id */

/* Several times a second: whoever waited too long. */
void sq_api_people_tick(struct sq_api_people *people);

#endif
