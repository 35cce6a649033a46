/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the receivers of `notify` about alerts, out of the log of <app>.alerts.
 *
 * A thread a receiver (several may be of one type), each a member of the group <app>-notify-<receiver>, so that workers share the partitions and one receiver that is down
 * holds up nobody else. A transition's offset is committed after its delivery: a worker that dies in between makes the next one deliver it again,
 * under the same Idempotency-Key. A group that never committed begins with what was written since this worker started, for nobody wants
 * to be paged for last month. While a delivery waits for its next try the partitions are paused, and the group is still answered.
 *
 * What can go wrong: the receiver is away or refuses (notify_sender.h); a partition is taken away while its record waits (it is dropped, the
 * new owner delivers it); the broker is away (librdkafka comes back to it). */
#ifndef SQ_IO_NOTIFY_H
#define SQ_IO_NOTIFY_H

#include "worker/io/config.h"

struct sq_notify;

/* Starts the threads of what is configured; none is fine. config: borrowed. SQ_E_CONFIG: a secret's file, or a Kafka property. */
int sq_notify_open(struct sq_notify **notify, const struct sq_config *config, struct sq_err *err);

/* Ends what is under way and joins the threads: a few seconds at most. NULL is fine. */
void sq_notify_close(struct sq_notify *notify);

#endif
