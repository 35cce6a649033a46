/* SPDX-License-Identifier: Apache-2.0 */
/* What the Kafka clients complained of last. A broker that is away shows nowhere else while a worker has nothing to do: no commit fails, and the
 * lag that is known stays as it was. Thread: any; nothing blocks for long. */
#ifndef SQ_IO_KAFKA_TROUBLE_H
#define SQ_IO_KAFKA_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* librdkafka repeats what stays wrong every 30 s, so what it has not repeated for so long is over. */
enum { SQ_KAFKA_TROUBLE_SECONDS = 60 };

void sq_kafka_trouble_note(const char *reason, uint64_t now_ns); /* now_ns: of the monotonic clock */

/* "Kafka client, 12 s ago: ...", cut to fit. False, and an empty text: nothing within SQ_KAFKA_TROUBLE_SECONDS. */
bool sq_kafka_trouble_tell(char *out, size_t out_bytes, uint64_t now_ns);

#endif
