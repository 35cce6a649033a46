/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/watermark.h"

#include <stdlib.h>

#include "engine/base/hash.h"
#include "worker/core/plan.h"

/* Compared as bytes: what is not used of the name is zero. */
struct source_key {
    int32_t partition;
    char topic[SQ_TOPIC_BYTES_MAX + 1];
};

struct sq_source {
    int64_t event_ms, append_ms; /* latest of each */
    UT_hash_handle hh;
    struct source_key key;
};

void sq_watermark_init(struct sq_watermark *watermark, const struct sq_time_rules *time)
{
    *watermark = (struct sq_watermark){
        .delay_ms = time->watermark_delay_ms,
        .idle_after_ms = time->idle_after_ms,
        .watermark_ms = INT64_MIN,
        .latest_ms = INT64_MIN,
        .append_ms = INT64_MIN,
        .holding_ms = INT64_MAX,
        .next_idle_ms = INT64_MAX,
    };
}

void sq_watermark_deinit(struct sq_watermark *watermark)
{
    struct sq_source *source, *next;
    HASH_ITER(hh, watermark->sources, source, next)
    {
        HASH_DEL(watermark->sources, source);
        free(source);
    }
}

static bool is_named(const struct sq_source *source, struct sq_str topic, int32_t partition)
{
    return source->key.partition == partition && source->key.topic[topic.bytes] == '\0' &&
           (topic.bytes == 0 || memcmp(source->key.topic, topic.data, topic.bytes) == 0);
}

/* Forgets the source unseen for longest: with this many input partitions one of them has long been idle. */
static void forget_one(struct sq_watermark *watermark)
{
    struct sq_source *oldest = watermark->sources, *source, *next;
    HASH_ITER(hh, watermark->sources, source, next)
    {
        if (source->append_ms < oldest->append_ms) oldest = source;
    }
    HASH_DEL(watermark->sources, oldest);
    free(oldest);
}

static struct sq_source *find_or_add(struct sq_watermark *watermark, struct sq_str topic, int32_t partition)
{
    if (watermark->last && is_named(watermark->last, topic, partition)) return watermark->last;
    struct source_key key;
    memset(&key, 0, sizeof key);
    key.partition = partition;
    if (topic.bytes) memcpy(key.topic, topic.data, topic.bytes);

    struct sq_source *source;
    HASH_FIND(hh, watermark->sources, &key, sizeof key, source);
    if (!source && (source = calloc(1, sizeof *source))) {
        if (HASH_COUNT(watermark->sources) >= SQ_SOURCES_MAX) forget_one(watermark);
        source->key = key;
        source->event_ms = source->append_ms = INT64_MIN;
        HASH_ADD(hh, watermark->sources, key, sizeof source->key, source);
        if (!SQ_HASH_ADDED(source)) {
            free(source);
            return NULL;
        }
    }
    watermark->last = source;
    return source;
}

/* Who is active, who holds W, and when that has to be asked again. */
static void look_around(struct sq_watermark *watermark)
{
    watermark->holding_ms = INT64_MAX;
    watermark->next_idle_ms = INT64_MAX;
    for (const struct sq_source *source = watermark->sources; source; source = source->hh.next) {
        int64_t idle_ms = source->append_ms + watermark->idle_after_ms;
        if (idle_ms < watermark->append_ms) continue;
        if (idle_ms < watermark->next_idle_ms) watermark->next_idle_ms = idle_ms;
        if (source->event_ms < watermark->holding_ms) watermark->holding_ms = source->event_ms;
    }
}

void sq_watermark_advance(struct sq_watermark *watermark, int64_t watermark_ms)
{
    if (watermark->watermark_ms < watermark_ms) watermark->watermark_ms = watermark_ms;
}

void sq_watermark_tick(struct sq_watermark *watermark, int64_t wall_ms, int64_t delay_ms)
{
    if (watermark->watermark_ms == INT64_MIN) return;
    int64_t event_ms = watermark->latest_ms + (wall_ms - watermark->append_ms);
    sq_watermark_advance(watermark, (event_ms < wall_ms ? event_ms : wall_ms) - delay_ms);
}

int sq_watermark_take(struct sq_watermark *watermark, struct sq_str topic, int32_t partition, int64_t event_ms, int64_t append_ms,
                      struct sq_err *err)
{
    if (topic.bytes > SQ_TOPIC_BYTES_MAX) return sq_err_set(err, SQ_E_TOO_LARGE, "a topic name of %zu bytes", topic.bytes);
    struct sq_source *source = find_or_add(watermark, topic, partition);
    if (!source) return sq_err_set(err, SQ_E_NOMEM, "no memory for a source of the watermark");

    if (watermark->watermark_ms == INT64_MIN) {
        watermark->start_ms = append_ms;
        watermark->watermark_ms = event_ms - SQ_SKEW_MS_USUAL;
    }
    if (append_ms > watermark->append_ms) watermark->append_ms = append_ms;
    bool was_idle = source->append_ms < watermark->append_ms - watermark->idle_after_ms;
    bool was_holding = source->event_ms <= watermark->holding_ms;
    if (event_ms > source->event_ms) source->event_ms = event_ms;
    if (append_ms > source->append_ms) source->append_ms = append_ms;
    if (event_ms > watermark->latest_ms) watermark->latest_ms = event_ms;
    if (was_idle || was_holding || watermark->append_ms > watermark->next_idle_ms) look_around(watermark);

    if (watermark->start_records < SQ_START_GRACE_RECORDS && watermark->append_ms - watermark->start_ms < SQ_START_GRACE_MS)
        watermark->start_records++;
    else if (watermark->holding_ms != INT64_MAX)
        sq_watermark_advance(watermark, watermark->holding_ms - watermark->delay_ms);
    sq_watermark_advance(watermark, watermark->latest_ms - SQ_SKEW_MS_MAX);
    return 0;
}

/* ---- As saved state ---- */

void sq_watermark_put(struct sq_buf *out, const struct sq_watermark *watermark)
{
    sq_bytes_put_number(out, watermark->watermark_ms != INT64_MIN);
    if (watermark->watermark_ms == INT64_MIN) return;
    int64_t base_ms = watermark->watermark_ms;
    sq_bytes_put_signed(out, base_ms);
    sq_bytes_put_signed(out, watermark->latest_ms - base_ms);
    sq_bytes_put_signed(out, watermark->append_ms);
    sq_bytes_put_signed(out, watermark->start_ms - watermark->append_ms);
    sq_bytes_put_number(out, watermark->start_records);
    sq_bytes_put_number(out, HASH_COUNT(watermark->sources));
    for (const struct sq_source *source = watermark->sources; source; source = source->hh.next) {
        sq_bytes_put_str(out, sq_str_view(source->key.topic));
        sq_bytes_put_signed(out, source->key.partition);
        sq_bytes_put_signed(out, source->event_ms - base_ms);
        sq_bytes_put_signed(out, source->append_ms - watermark->append_ms);
    }
}

bool sq_watermark_take_saved(struct sq_bytes *bytes, struct sq_watermark *watermark)
{
    if (!sq_bytes_number_to(bytes, 1)) return true;
    int64_t base_ms = watermark->watermark_ms = sq_bytes_time(bytes, 0);
    watermark->latest_ms = sq_bytes_time(bytes, base_ms);
    watermark->append_ms = sq_bytes_time(bytes, 0);
    watermark->start_ms = sq_bytes_time(bytes, watermark->append_ms);
    watermark->start_records = (uint32_t)sq_bytes_number_to(bytes, SQ_START_GRACE_RECORDS);
    uint64_t count = sq_bytes_number_to(bytes, SQ_SOURCES_MAX);
    for (uint64_t i = 0; i < count && !bytes->failed; i++) {
        struct sq_str topic = sq_bytes_str(bytes, SQ_TOPIC_BYTES_MAX);
        int32_t partition = (int32_t)sq_bytes_time(bytes, 0);
        struct sq_source *source = bytes->failed ? NULL : find_or_add(watermark, topic, partition);
        if (!source) return bytes->failed;
        source->event_ms = sq_bytes_time(bytes, base_ms);
        source->append_ms = sq_bytes_time(bytes, watermark->append_ms);
    }
    look_around(watermark);
    return true;
}
