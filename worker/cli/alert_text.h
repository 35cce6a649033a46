/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's record as a page of text: what fired, on how much, against what, how sure, what was left out, and what was said. Pure. */
#ifndef SQ_CLI_ALERT_TEXT_H
#define SQ_CLI_ALERT_TEXT_H

#include "worker/io/notify_request.h"

/* Appends the alert as this transition tells it. Texts of strangers have a `?` for each control character. What a record doesn't tell, as one
 * of an older version, is left out or 0. */
void sq_alert_text_write(struct sq_buf *out, const struct sq_notify_alert *alert);

/* One line: time, id, state, rule, entity, matched/count (usual), severity, and what else there is to say of the transition. No line feed. */
void sq_alert_text_write_line(struct sq_buf *out, const struct sq_notify_alert *alert);

#endif
