/* SPDX-License-Identifier: Apache-2.0 */
/* The alert stage on a log in memory: what was published before is rebuilt in silence, what comes after goes out, and a partition that
 * comes back goes on where it stood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/metrics.h"
#include "tests/lib/fake_kafka.h"
#include "worker/io/log.h"
#include "worker/pipeline/alert_stage.h"
#include "worker/pipeline/pipeline.h"

enum { MINUTE_MS = 60000, DAYS = 3, ORDINARY = DAYS * 24 * 30, WAVE = 90, CALM = 200 };
static const int64_t start_ms = INT64_C(1700000040000);

struct world {
    struct sq_config *config;
    struct sq_loop *loop;
    pthread_mutex_t mutex;
    struct fake_topic scores, dlq, alerts;
    struct fake_source source;
    struct fake_sink sink;
    struct sq_state_reader *reader; /* NULL: no state is kept */
    struct sq_pipeline *pipeline;
};

static void world_open(struct world *world)
{
    struct sq_err err;
    assert_int_equal(sq_config_default(&world->config, &err), 0);
    snprintf(world->config->app, sizeof world->config->app, "t");
    world->config->output.partitions = 1;
    assert_int_equal(sq_loop_open(&world->loop, &err), 0);
    pthread_mutex_init(&world->mutex, NULL);
    fake_topic_init(&world->scores, "t.scores", 1);
    fake_topic_init(&world->dlq, "t.dlq", 1);
    fake_topic_init(&world->alerts, "t.alerts", 1);
    fake_source_init(&world->source, world->loop, &world->scores, &world->mutex);
    fake_sink_init(&world->sink, &world->scores, &world->mutex);
    world->sink.topics[SQ_TOPIC_DLQ] = &world->dlq;
    world->sink.topics[SQ_TOPIC_ALERTS] = &world->alerts;
}

static void world_start(struct world *world)
{
    struct sq_err err;
    const struct sq_pipeline_options options = {.loop = world->loop, .config = world->config, .mode = "live",
                                                .alert_source = &world->source.base, .alert_sink = &world->sink.base,
                                                .state_reader = world->reader};
    if (sq_pipeline_open(&world->pipeline, &options, &err)) fail_msg("%s", err.message);
}

static void world_close(struct world *world)
{
    sq_pipeline_close(world->pipeline);
    world->source.base.ops->close(&world->source.base);
    sq_loop_close(world->loop);
    sq_config_close(world->config);
    fake_topic_deinit(&world->scores);
    fake_topic_deinit(&world->dlq);
    fake_topic_deinit(&world->alerts);
}

static void add_score(struct world *world, int64_t ts_ms, bool is_negative)
{
    struct sq_buf value;
    struct sq_err err;
    int64_t offset = world->scores.partitions[0].count;
    const struct sq_score score = {
        .source = {SQ_STR("posts"), 0, offset}, .entity = SQ_STR("acme"), .event_time_ms = ts_ms,
        .label = is_negative ? SQ_STR("negative") : SQ_STR("neutral"), .score = 0.9f, .probabilities_count = 3,
        .probabilities = {is_negative ? 0.9f : 0.05f, is_negative ? 0.05f : 0.9f, 0.05f},
        .author_hash = ((uint64_t)offset + 1) * UINT64_C(0x9e3779b97f4a7c15), .model_digest = 1, .excerpt = SQ_STR("a text"),
    };
    sq_buf_init(&value);
    assert_int_equal(sq_score_encode(&score, &value, &err), 0);
    fake_topic_append(&world->scores, 0, SQ_STR("acme"), sq_buf_view(&value), ts_ms);
    sq_buf_deinit(&value);
}

/* Days with one negative in ten; half an hour in which nearly all are; hours like before. */
static void add_story(struct world *world)
{
    int64_t ts_ms = start_ms;
    for (int i = 0; i < ORDINARY; i++) add_score(world, ts_ms += 2 * MINUTE_MS, i % 10 == 0);
    for (int i = 0; i < WAVE; i++) add_score(world, ts_ms += MINUTE_MS / 3, i % 10 != 0);
    for (int i = 0; i < CALM; i++) add_score(world, ts_ms += 2 * MINUTE_MS, i % 10 == 0);
}

struct driver {
    struct world *world;
    void (*act)(struct world *world, unsigned turn);
    unsigned turns, settled;
};

static void on_turn(void *ctx)
{
    struct driver *driver = ctx;
    struct world *world = driver->world;
    if (++driver->turns > 3000) fail_msg("not done after %u turns", driver->turns);
    if (driver->act) driver->act(world, driver->turns);
    pthread_mutex_lock(&world->mutex);
    bool is_done = world->scores.committed[0] == world->scores.partitions[0].count;
    pthread_mutex_unlock(&world->mutex);
    if (is_done && ++driver->settled > 10) sq_pipeline_stop(world->pipeline);
}

static void drive(struct world *world, void (*act)(struct world *world, unsigned turn))
{
    struct driver driver = {.world = world, .act = act};
    struct sq_timer *timer;
    assert_int_equal(sq_timer_open(&timer, world->loop, 10, on_turn, &driver, NULL), 0);
    assert_int_equal(sq_pipeline_run(world->pipeline), 0);
    sq_timer_close(timer);
}

static bool holds(const struct world *world, int64_t i, const char *text)
{
    return strstr(world->alerts.partitions[0].records[i].value, text) != NULL;
}

static void a_wave_fires_and_resolves_one_alert(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    add_story(&world);
    world_start(&world);
    drive(&world, NULL);
    int64_t count = world.alerts.partitions[0].count;
    assert_true(count >= 2);
    assert_true(holds(&world, 0, "\"state\":\"FIRING\"") && holds(&world, count - 1, "\"state\":\"RESOLVED\""));
    assert_int_equal(world.alerts.partitions[0].records[0].key_bytes, 16);
    world_close(&world);
}

static void a_shadow_rule_is_counted_and_tells_nobody(void **state)
{
    (void)state;
    struct world world = {0};
    int64_t before = sq_metric_value(SQ_M_ALERTS_SUPPRESSED, 0);
    world_open(&world);
    world.config->rules[0].is_shadow = true;
    add_story(&world);
    world_start(&world);
    drive(&world, NULL);
    assert_int_equal(world.alerts.partitions[0].count, 0);
    assert_true(sq_metric_value(SQ_M_ALERTS_SUPPRESSED, 0) >= before + 2);
    world_close(&world);
}

static void silence_then_tell(struct world *world, unsigned turn)
{
    static const struct sq_silence silence = {.id = 7, .entity = "ac*", .until_ms = INT64_C(4000000000000), .by = "me"};
    struct sq_alert_coverage coverage;
    struct sq_receipt receipt = {0};
    struct sq_err err;
    (void)turn;
    if (world->scores.partitions[0].count) return;
    assert_int_equal(sq_alert_stage_silence(sq_pipeline_alert(world->pipeline), &silence, &receipt, &coverage, &err), 0);
    assert_int_equal(receipt.waiting, 0); /* no state is kept here */
    assert_int_equal(coverage.partitions, 1);
    if (!coverage.covered) return; /* not assigned yet */
    pthread_mutex_lock(&world->mutex);
    add_story(world);
    pthread_mutex_unlock(&world->mutex);
}

static void what_is_silenced_is_marked(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    world_start(&world);
    drive(&world, silence_then_tell);
    int64_t count = world.alerts.partitions[0].count;
    assert_true(count >= 2);
    for (int64_t i = 0; i < count; i++) assert_true(holds(&world, i, "\"silenced\":true"));
    world_close(&world);
}

/* As soon as the alert is out; the calm that resolves it comes after. */
static void acknowledge_then_calm(struct world *world, unsigned turn)
{
    struct sq_alert_stage *stage = sq_pipeline_alert(world->pipeline);
    int64_t ts_ms = start_ms + (ORDINARY * 2 + WAVE / 3) * (int64_t)MINUTE_MS;
    char id[17] = "";
    struct sq_receipt receipt = {0};
    struct sq_err err;
    bool found;
    (void)turn;
    pthread_mutex_lock(&world->mutex);
    bool is_out = world->alerts.partitions[0].count > 0 && world->scores.partitions[0].count == ORDINARY + WAVE;
    const char *field = is_out ? strstr(world->alerts.partitions[0].records[0].value, "\"alert_id\":\"") : NULL;
    if (field) memcpy(id, field + 12, 16);
    pthread_mutex_unlock(&world->mutex);
    if (!is_out) return;
    assert_non_null(field);
    assert_int_equal(sq_alert_stage_acknowledge(stage, strtoull(id, NULL, 16) ^ 1, &receipt, &found, &err), 0);
    assert_false(found);
    assert_int_equal(sq_alert_stage_acknowledge(stage, strtoull(id, NULL, 16), &receipt, &found, &err), 0);
    assert_true(found);
    pthread_mutex_lock(&world->mutex);
    for (int i = 0; i < CALM; i++) add_score(world, ts_ms += 2 * MINUTE_MS, i % 10 == 0);
    pthread_mutex_unlock(&world->mutex);
}

static void an_alert_that_somebody_takes_is_told_as_taken(void **state)
{
    (void)state;
    struct world world = {0};
    int64_t ts_ms = start_ms, taken = 0;
    world_open(&world);
    for (int i = 0; i < ORDINARY; i++) add_score(&world, ts_ms += 2 * MINUTE_MS, i % 10 == 0);
    for (int i = 0; i < WAVE; i++) add_score(&world, ts_ms += MINUTE_MS / 3, i % 10 != 0);
    world_start(&world);
    drive(&world, acknowledge_then_calm);
    for (int64_t i = 0; i < world.alerts.partitions[0].count; i++) taken += holds(&world, i, "\"acknowledged\":true");
    assert_true(taken >= 1);
    world_close(&world);
}

static int64_t alerts_of_a_full_run(void)
{
    struct world world = {0};
    world_open(&world);
    add_story(&world);
    world_start(&world);
    drive(&world, NULL);
    int64_t count = world.alerts.partitions[0].count;
    world_close(&world);
    return count;
}

static void what_was_published_before_stays_silent(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    add_story(&world);
    world.scores.committed[0] = world.scores.partitions[0].count;
    world_start(&world);
    drive(&world, NULL);
    assert_int_equal(world.alerts.partitions[0].count, 0);
    world_close(&world);
}

static void a_restart_in_the_middle_publishes_just_the_rest(void **state)
{
    (void)state;
    int64_t full = alerts_of_a_full_run();
    struct world world = {0};
    world_open(&world);
    add_story(&world);
    world.scores.committed[0] = ORDINARY + WAVE; /* it fired, and its resolution is still to come */
    world_start(&world);
    drive(&world, NULL);
    int64_t count = world.alerts.partitions[0].count;
    assert_true(count >= 1 && count < full);
    assert_false(holds(&world, 0, "\"state\":\"FIRING\""));
    assert_true(holds(&world, count - 1, "\"state\":\"RESOLVED\""));
    world_close(&world);
}

static void give_and_take(struct world *world, unsigned turn)
{
    if (turn % 10 == 3) fake_source_revoke(&world->source);
    if (turn % 10 == 8 && world->source.releases) fake_source_assign(&world->source);
}

static void rebalances_change_nothing(void **state)
{
    (void)state;
    int64_t full = alerts_of_a_full_run();
    struct world world = {0};
    world_open(&world);
    add_story(&world);
    world_start(&world);
    drive(&world, give_and_take);
    assert_int_equal(world.alerts.partitions[0].count, full);
    world_close(&world);
}

static void a_foreign_record_is_a_dead_letter_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fake_topic_append(&world.scores, 0, SQ_STR("acme"), SQ_STR("this is no score"), start_ms);
    add_story(&world);
    world_start(&world);
    drive(&world, NULL);
    assert_int_equal(world.dlq.partitions[0].count, 1);
    assert_true(world.alerts.partitions[0].count >= 2);
    world_close(&world);
}

static void reader_start(struct sq_state_reader *reader, const struct sq_state_handler *handler) { (void)reader, (void)handler; }
static void reader_cancel(struct sq_state_reader *reader, void *cookie) { (void)reader, (void)cookie; }
static int reader_without_memory(struct sq_state_reader *reader, int32_t partition, void *cookie, struct sq_err *err)
{
    (void)reader, (void)partition, (void)cookie;
    return sq_err_set(err, SQ_E_NOMEM, "no memory");
}

static void a_worker_that_cannot_ask_for_its_state_ends_before_it_takes_a_record(void **state)
{
    (void)state;
    static const struct sq_state_reader_ops ops = {reader_start, reader_without_memory, reader_cancel, NULL};
    struct sq_state_reader reader = {&ops};
    struct world world = {.reader = &reader};
    world_open(&world);
    add_story(&world);
    world_start(&world);
    assert_int_equal(sq_pipeline_run(world.pipeline), sq_err_exit_code(SQ_E_NOMEM));
    assert_int_equal(world.alerts.partitions[0].count, 0);
    assert_int_equal(world.scores.committed[0], -1);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wave_fires_and_resolves_one_alert),
        cmocka_unit_test(a_shadow_rule_is_counted_and_tells_nobody),
        cmocka_unit_test(what_is_silenced_is_marked),
        cmocka_unit_test(an_alert_that_somebody_takes_is_told_as_taken),
        cmocka_unit_test(what_was_published_before_stays_silent),
        cmocka_unit_test(a_restart_in_the_middle_publishes_just_the_rest),
        cmocka_unit_test(rebalances_change_nothing),
        cmocka_unit_test(a_foreign_record_is_a_dead_letter_and_the_rest_goes_on),
        cmocka_unit_test(a_worker_that_cannot_ask_for_its_state_ends_before_it_takes_a_record),
    };
    sq_log_set(SQ_LOG_ERROR, SQ_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
