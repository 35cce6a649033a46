/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/fake_kafka.h"

#include <stdlib.h>
#include <unistd.h>

enum { RECORDS_PER_TURN = 100, TURN_MS = 5 };

/* ---- the log ---- */

static char *copy(struct sq_str str)
{
    if (!str.data) return NULL;
    char *memory = malloc(str.bytes + 1);
    if (!memory) abort();
    memcpy(memory, str.data, str.bytes);
    memory[str.bytes] = '\0';
    return memory;
}

void fake_topic_init(struct fake_topic *topic, const char *name, int32_t partitions_count)
{
    *topic = (struct fake_topic){.name = name, .partitions_count = partitions_count};
    for (int32_t i = 0; i < partitions_count; i++) {
        topic->partitions[i].records = calloc(FAKE_RECORDS_MAX, sizeof(struct fake_record));
        topic->committed[i] = -1;
        if (!topic->partitions[i].records) abort();
    }
}

static void record_deinit(struct fake_record *record)
{
    for (unsigned i = 0; i < record->headers_count; i++) {
        free((void *)(uintptr_t)record->headers[i].name.data);
        free((void *)(uintptr_t)record->headers[i].value.data);
    }
    free(record->key);
    free(record->value);
}

void fake_topic_deinit(struct fake_topic *topic)
{
    for (int32_t i = 0; i < topic->partitions_count; i++) {
        for (int64_t j = 0; j < topic->partitions[i].count; j++) record_deinit(&topic->partitions[i].records[j]);
        free(topic->partitions[i].records);
    }
}

void fake_topic_append(struct fake_topic *topic, int32_t partition, struct sq_str key, struct sq_str value, int64_t timestamp_ms)
{
    struct fake_log *log = &topic->partitions[partition];
    if (log->count == FAKE_RECORDS_MAX) abort();
    log->records[log->count++] = (struct fake_record){
        .key = copy(key), .value = copy(value), .key_bytes = key.bytes, .value_bytes = value.bytes, .timestamp_ms = timestamp_ms};
}

void fake_topic_append_unreadable(struct fake_topic *topic, int32_t partition)
{
    struct fake_log *log = &topic->partitions[partition];
    fake_topic_append(topic, partition, (struct sq_str){0}, (struct sq_str){0}, -1);
    log->records[log->count - 1].is_unreadable = true;
}

int64_t fake_topic_count(const struct fake_topic *topic)
{
    int64_t count = 0;
    for (int32_t i = 0; i < topic->partitions_count; i++) count += topic->partitions[i].count;
    return count;
}

/* ---- the source ---- */

static struct fake_source *fake_source(struct sq_source *source) { return (struct fake_source *)source; }

static void deliver(struct fake_source *source, int32_t i, const struct fake_record *record, int64_t offset)
{
    struct sq_delivery_record out;
    out.partition = &source->partitions[i];
    out.offset = offset;
    out.timestamp_ms = record->timestamp_ms;
    out.is_append_time = false;
    out.headers_count = 0;
    out.record = (struct sq_record){.key = {record->key, record->key_bytes}, .value = {record->value, record->value_bytes}};
    out.code = record->is_unreadable ? SQ_E_UNREADABLE : 0;
    out.message = record->is_unreadable ? "made unreadable" : NULL;
    source->handler.take(&out, source->handler.ctx);
}

/* Up to some records of one partition; the lock isn't held while the handler works. */
static void turn_partition(struct fake_source *source, int32_t i)
{
    for (int n = 0; n < RECORDS_PER_TURN; n++) {
        if (!source->is_owned[i] || source->partitions[i].is_revoking || source->partitions[i].is_parked || source->is_leaving) return;
        pthread_mutex_lock(source->mutex);
        int64_t count = source->topic->partitions[i].count, offset = source->positions[i];
        struct fake_record record = offset < count ? source->topic->partitions[i].records[offset] : (struct fake_record){0};
        pthread_mutex_unlock(source->mutex);
        if (offset >= count) {
            if (!source->has_told_end[i]) source->handler.end(&source->partitions[i], offset, source->handler.ctx);
            source->has_told_end[i] = true;
            return;
        }
        if (!source->handler.has_room(source->handler.ctx)) return;
        source->has_told_end[i] = false;
        source->positions[i]++;
        deliver(source, i, &record, offset);
    }
}

static void on_turn(void *ctx)
{
    struct fake_source *source = ctx;
    if (!source->is_started) return;
    for (int32_t i = 0; i < source->topic->partitions_count; i++) turn_partition(source, i);
    if (source->is_leaving && !source->is_closed) {
        bool is_any = false;
        for (int32_t i = 0; i < source->topic->partitions_count; i++) is_any |= source->is_owned[i];
        if (is_any) return;
        source->is_closed = true;
        source->handler.closed(source->handler.ctx);
    }
}

static bool is_member(const struct fake_source *source) { return source->is_started && !source->is_leaving; }

static void assign(struct fake_source *source)
{
    unsigned count = 0;
    for (int32_t i = 0; i < source->topic->partitions_count; i++) {
        if (source->is_owned[i]) continue;
        pthread_mutex_lock(source->mutex);
        int64_t committed = source->topic->committed[i];
        unsigned begun = source->topic->begun[i];
        pthread_mutex_unlock(source->mutex);
        struct sq_source_partition *partition = &source->partitions[i];
        *partition = (struct sq_source_partition){
            .topic = source->topic->name, .partition = i, .epoch = ++source->epoch, .committed_offset = committed, .begun = begun,
            .start_offset = committed >= 0 ? committed : SQ_OFFSET_BEGINNING};
        source->is_owned[i] = true;
        source->has_told_end[i] = false;
        source->handler.assigned(partition, source->handler.ctx);
        source->positions[i] = partition->start_offset >= 0 ? partition->start_offset : 0;
        count++;
    }
    source->handler.assignment(count, source->handler.ctx);
}

static void give(struct fake_source *source, bool only_revoking, bool is_lost)
{
    for (int32_t i = 0; i < source->topic->partitions_count; i++) {
        if (!source->is_owned[i] || (only_revoking && !source->partitions[i].is_revoking)) continue;
        source->is_owned[i] = false;
        source->handler.gone(&source->partitions[i], is_lost, source->handler.ctx);
    }
}

static void revoke_all(struct fake_source *source)
{
    for (int32_t i = 0; i < source->topic->partitions_count; i++) source->partitions[i].is_revoking = source->is_owned[i];
    source->handler.revoking(source->handler.ctx);
}

void fake_source_assign(struct fake_source *source)
{
    if (is_member(source)) assign(source);
}

void fake_source_revoke(struct fake_source *source)
{
    if (is_member(source)) revoke_all(source);
}

void fake_source_lose(struct fake_source *source)
{
    if (is_member(source)) give(source, false, true);
}

static int source_start(struct sq_source *base, const struct sq_source_handler *handler, struct sq_err *err)
{
    (void)err;
    struct fake_source *source = fake_source(base);
    source->handler = *handler;
    source->is_started = true;
    assign(source);
    return 0;
}

static void source_pull(struct sq_source *base) { sq_wake_send(fake_source(base)->wake); }

static void source_release(struct sq_source *base)
{
    fake_source(base)->releases++;
    give(fake_source(base), true, false);
}

static void source_unpark(struct sq_source *base, struct sq_source_partition *partition, int64_t start_offset)
{
    partition->start_offset = start_offset;
    partition->is_parked = false;
    fake_source(base)->positions[partition->partition] = start_offset >= 0 ? start_offset : 0;
}

static void source_leave(struct sq_source *base)
{
    fake_source(base)->is_leaving = true;
    revoke_all(fake_source(base));
}

static bool source_watermarks(struct sq_source *base, const struct sq_source_partition *partition, int64_t *low, int64_t *high)
{
    struct fake_source *source = fake_source(base);
    pthread_mutex_lock(source->mutex);
    *low = 0;
    *high = source->topic->partitions[partition->partition].count;
    pthread_mutex_unlock(source->mutex);
    return true;
}

static void source_membership(struct sq_source *base, struct sq_membership *membership)
{
    *membership = (struct sq_membership){.generation = (int32_t)fake_source(base)->epoch, .member = "fake"};
}

static void source_close(struct sq_source *base)
{
    sq_wake_close(fake_source(base)->wake);
    sq_timer_close(fake_source(base)->timer);
}

void fake_source_init(struct fake_source *source, struct sq_loop *loop, struct fake_topic *topic, pthread_mutex_t *mutex)
{
    static const struct sq_source_ops ops = {source_start, source_pull,       source_release,    source_unpark,
                                             source_leave, source_watermarks, source_membership, source_close};
    *source = (struct fake_source){.base = {&ops}, .topic = topic, .mutex = mutex};
    if (sq_wake_open(&source->wake, loop, on_turn, source, NULL)) abort();
    if (sq_timer_open(&source->timer, loop, TURN_MS, on_turn, source, NULL)) abort();
}

/* ---- the sink ---- */

static struct fake_sink *fake_sink(struct sq_sink *sink) { return (struct fake_sink *)sink; }

static int sink_prepare(struct sq_sink *base, struct sq_err *err)
{
    struct fake_sink *sink = fake_sink(base);
    if (!sink->prepare_fails) return 0;
    sink->prepare_fails--;
    return sq_err_set(err, SQ_E_BROKER, "no broker yet");
}

static void accept(struct fake_sink *sink, struct sq_output *output)
{
    struct fake_topic *topic = sink->topics[output->topic];
    int32_t partition = output->partition >= 0 ? output->partition : 0;
    fake_topic_append(topic, partition, output->key, output->value, output->timestamp_ms ? output->timestamp_ms : 1);
    struct fake_record *record = &topic->partitions[partition].records[topic->partitions[partition].count - 1];
    for (unsigned i = 0; i < output->headers_count; i++)
        record->headers[record->headers_count++] = (struct sq_header){
            {copy(output->headers[i].name), output->headers[i].name.bytes}, {copy(output->headers[i].value), output->headers[i].value.bytes}};
    output->status = 0;
}

static int produce(struct fake_sink *sink, struct sq_batch *batch, bool is_failing, struct sq_err *err)
{
    size_t refused = 0, limit = is_failing ? batch->outputs_count / 2 : batch->outputs_count;
    for (size_t i = 0; i < limit; i++) {
        struct sq_output *output = &batch->outputs[i];
        if (output->status == 0) continue;
        if (output->topic == SQ_TOPIC_SCORES && sink->refuse_every && ++sink->scores_seen % sink->refuse_every == 0) {
            output->status = SQ_E_PRODUCE;
            refused++;
        } else {
            accept(sink, output);
        }
    }
    if (is_failing) return sq_err_set(err, SQ_E_TIMEOUT, "made to fail");
    return refused ? sq_err_set(err, SQ_E_PRODUCE, "made to refuse") : 0;
}

static int sink_commit(struct sq_sink *base, struct sq_batch *batch, struct sq_err *err)
{
    struct fake_sink *sink = fake_sink(base);
    if (sink->delay_us) usleep(sink->delay_us);
    pthread_mutex_lock(sink->mutex);
    sink->commits++;
    int status = produce(sink, batch, sink->fail_every && sink->commits % sink->fail_every == 0, err);
    for (size_t i = 0; status == 0 && i < batch->offsets_count; i++) {
        sink->input->committed[batch->offsets[i].partition] = batch->offsets[i].next_offset;
        sink->input->begun[batch->offsets[i].partition] = batch->offsets[i].begun;
    }
    batch->offsets_are_committed = status == 0;
    pthread_mutex_unlock(sink->mutex);
    return status;
}

static void sink_interrupt(struct sq_sink *base) { (void)base; }
static void sink_close(struct sq_sink *base) { (void)base; }

void fake_sink_init(struct fake_sink *sink, struct fake_topic *input, pthread_mutex_t *mutex)
{
    static const struct sq_sink_ops ops = {sink_prepare, sink_commit, sink_interrupt, sink_close};
    *sink = (struct fake_sink){.base = {&ops}, .input = input, .mutex = mutex};
}
