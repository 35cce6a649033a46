/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers alerts to one receiver, one after the other: what to send, how often to try, when to give up. Knows nothing of where alerts come
 * from; worker/io/notify.h reads them from the log.
 *
 * An answer of 2xx is delivery. 400, 413 and 422 say that this body will never be taken: it is given up, and counted. Anything else, no
 * answer too, is tried again for as long as it takes: after SQ_NOTIFY_BACKOFF_FIRST_MS, then twice as long each time up to
 * SQ_NOTIFY_BACKOFF_MAX_MS, each time less a random half so that workers don't try together; later where Retry-After asks for it. So a receiver
 * that is down loses nothing; it holds up its own deliveries, no other receiver's. One thread. */
#ifndef SQ_IO_NOTIFY_SENDER_H
#define SQ_IO_NOTIFY_SENDER_H

#include <stdatomic.h>

#include "worker/io/config.h"

enum sq_notify_result { SQ_NOTIFY_DELIVERED, SQ_NOTIFY_RETRIED, SQ_NOTIFY_REJECTED, SQ_NOTIFY_SKIPPED, SQ_NOTIFY_RESULTS_COUNT };

enum { SQ_NOTIFY_BACKOFF_FIRST_MS = 500, SQ_NOTIFY_BACKOFF_MAX_MS = 60000, SQ_NOTIFY_RETRY_AFTER_MAX_MS = 600000 };

struct sq_notify_sender;

/* to: borrowed. Reads the secret's file: SQ_E_CONFIG. stop: ends a post that is under way. */
int sq_notify_sender_open(struct sq_notify_sender **sender, const struct sq_receiver *to, const atomic_bool *stop, struct sq_err *err);
void sq_notify_sender_close(struct sq_notify_sender *sender);

/* An alert's record to deliver; at_ms: its timestamp. False: there is nothing to tell this receiver (counted as skipped). */
bool sq_notify_sender_take(struct sq_notify_sender *sender, struct sq_str value, int64_t at_ms);

/* One that was delivered before: only what is open is learnt from it. */
void sq_notify_sender_remember(struct sq_notify_sender *sender, struct sq_str value, int64_t at_ms);

/* Tries what was taken; blocks for one post. After RETRIED, *wait_ms says when to try again. */
enum sq_notify_result sq_notify_sender_try(struct sq_notify_sender *sender, int64_t now_ms, int64_t *wait_ms);

/* Gives up what was taken: another worker will deliver it. Forgets what is open. */
void sq_notify_sender_drop(struct sq_notify_sender *sender);

/* When nothing is taken: tells again what has to be told again. */
void sq_notify_sender_refresh(struct sq_notify_sender *sender, int64_t now_ms);

/* How often since it was opened; any thread. */
uint64_t sq_notify_sender_count(const struct sq_notify_sender *sender, enum sq_notify_result result);

#endif
