/* SPDX-License-Identifier: Apache-2.0 */
/* What receivers are sent: an alert's record (the JSON of <app>.alerts) as each of them wants it. Pure.
 *
 *     webhook       the record itself, signed:             any receiver of ours
 *     pagerduty     Events API v2:                         https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
 *     alertmanager  POST /api/v2/alerts, all open alerts:  https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
#ifndef SQ_IO_NOTIFY_REQUEST_H
#define SQ_IO_NOTIFY_REQUEST_H

#include "engine/base/json.h"
#include "worker/io/config.h"

/* An alert's record, parsed. Strings live as long as root. */
struct sq_notify_alert {
    json_t *root; /* owned */
    const char *state, *reason, *fingerprint, *alert_id, *rule, *entity, *severity, *summary, *app;
    int64_t seq;
    bool is_silenced;
};

/* SQ_E_DECODE: not such a record. On failure there is nothing to close. */
int sq_notify_alert_parse(struct sq_notify_alert *alert, struct sq_str value, struct sq_err *err);
void sq_notify_alert_close(struct sq_notify_alert *alert);

bool sq_notify_is_state(const struct sq_notify_alert *alert, const char *state); /* "FIRING", "UPDATED", "RESOLVED" */

/* The request's name: ALERT_ID-SEQ, the same for each try and each worker. */
void sq_notify_id(const struct sq_notify_alert *alert, char out[64]);

/* Whether people are to be told of this transition at all: silenced ones aren't, but for the end, which may end what began before. */
bool sq_notify_is_wanted(const struct sq_notify_alert *alert);

/* PagerDuty's body, appended; false: this transition is none of PagerDuty's business (a reminder). A reopened alert is `info`, so that it does
 * not page again, unless reopen_pages. */
bool sq_notify_pagerduty(const struct sq_notify_alert *alert, const char *routing_key, bool reopen_pages, struct sq_buf *out);

/* ---- Alertmanager: the alerts that are open, and those resolved not long ago, told again and again ---- */

enum { SQ_NOTIFY_RESOLVED_MS = 5 * 60 * 1000 };

struct sq_notify_board;

struct sq_notify_board *sq_notify_board_open(void); /* NULL without memory */
void sq_notify_board_close(struct sq_notify_board *board);
void sq_notify_board_clear(struct sq_notify_board *board);

/* Takes a transition in; at_ms: wall time of the record. False without memory. */
bool sq_notify_board_take(struct sq_notify_board *board, const struct sq_notify_alert *alert, int64_t at_ms);

/* The body for now: everything open ends every_ms * 3 from now unless it is told again; what is resolved has its end. A change of severity
 * is the end of one alert and the start of another, since it is a label. False: nothing to tell. */
bool sq_notify_board_write(const struct sq_notify_board *board, int64_t now_ms, int64_t every_ms, struct sq_buf *out);

/* What was written is delivered: what ended over SQ_NOTIFY_RESOLVED_MS ago need not be told again. */
void sq_notify_board_told(struct sq_notify_board *board, int64_t now_ms);

#endif
