/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_trouble.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

static struct {
    pthread_mutex_t lock;
    char reason[256];
    uint64_t noted_ns;
} last = {.lock = PTHREAD_MUTEX_INITIALIZER};

void sq_kafka_trouble_note(const char *reason, uint64_t now_ns)
{
    pthread_mutex_lock(&last.lock);
    snprintf(last.reason, sizeof last.reason, "%s", reason);
    last.noted_ns = now_ns;
    pthread_mutex_unlock(&last.lock);
}

bool sq_kafka_trouble_tell(char *out, size_t out_bytes, uint64_t now_ns)
{
    pthread_mutex_lock(&last.lock);
    uint64_t seconds = (now_ns - last.noted_ns) / 1000000000u;
    bool is_recent = last.reason[0] && seconds < SQ_KAFKA_TROUBLE_SECONDS;
    if (is_recent) snprintf(out, out_bytes, "Kafka client, %" PRIu64 " s ago: %s", seconds, last.reason);
    else out[0] = '\0';
    pthread_mutex_unlock(&last.lock);
    return is_recent;
}
