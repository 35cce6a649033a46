/* SPDX-License-Identifier: Apache-2.0 */
/* The score stage on a log in memory, with the real pool and a tiny model: whatever fails or is taken away, each record ends as a score or
 * a dead letter before its offset is committed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/metrics.h"
#include "tests/lib/fake_kafka.h"
#include "tests/lib/tiny_model.h"
#include "worker/core/breaker.h"
#include "worker/core/sample.h"
#include "worker/io/log.h"
#include "worker/pipeline/pipeline_parts.h"

enum { PARTITIONS = 3, RECORDS = 3000, TURNS_MAX = 6000 };

struct world {
    struct test_folder folder;
    struct sq_config *config;
    struct sq_engine *engine;
    struct sq_loop *loop;
    pthread_mutex_t mutex;
    struct fake_topic input, scores, dlq, alerts;
    struct fake_source source;
    struct fake_sink sink;
    struct sq_pipeline *pipeline;
    unsigned begun_seen; /* all numbers that stood beside offsets, or-ed */
};

static void world_open(struct world *world)
{
    struct sq_err err;
    test_folder_init(&world->folder);
    test_tiny_model_write(&world->folder);
    assert_int_equal(sq_config_default(&world->config, &err), 0);
    snprintf(world->config->app, sizeof world->config->app, "t");
    world->config->output.partitions = 4;
    world->config->model.threads = 2;
    const struct sq_engine_options engine = {.model_path = world->folder.path};
    if (sq_engine_open(&world->engine, &engine, &err)) fail_msg("%s", err.message);
    assert_int_equal(sq_loop_open(&world->loop, &err), 0);
    pthread_mutex_init(&world->mutex, NULL);
    fake_topic_init(&world->input, "posts", PARTITIONS);
    fake_topic_init(&world->scores, "t.scores", 4);
    fake_topic_init(&world->dlq, "t.dlq", 1);
    fake_topic_init(&world->alerts, "t.alerts", 4);
    fake_source_init(&world->source, world->loop, &world->input, &world->mutex);
    fake_sink_init(&world->sink, &world->input, &world->mutex);
    world->sink.topics[SQ_TOPIC_SCORES] = &world->scores;
    world->sink.topics[SQ_TOPIC_DLQ] = &world->dlq;
    world->sink.topics[SQ_TOPIC_ALERTS] = &world->alerts;
}

static void world_start(struct world *world)
{
    struct sq_err err;
    const struct sq_pipeline_options options = {
        .loop = world->loop, .config = world->config, .engine = world->engine, .mode = "live",
        .score_source = &world->source.base, .score_sink = &world->sink.base,
    };
    if (sq_pipeline_open(&world->pipeline, &options, &err)) fail_msg("%s", err.message);
}

static void world_close(struct world *world)
{
    sq_pipeline_close(world->pipeline);
    world->source.base.ops->close(&world->source.base);
    sq_loop_close(world->loop);
    sq_engine_close(world->engine);
    sq_config_close(world->config);
    fake_topic_deinit(&world->input);
    fake_topic_deinit(&world->scores);
    fake_topic_deinit(&world->dlq);
    fake_topic_deinit(&world->alerts);
    test_folder_deinit(&world->folder);
}

/* Good records, and every `bad_every`-th one broken. */
static unsigned fill(struct world *world, unsigned count, unsigned bad_every)
{
    static const char *const texts[] = {"the phone is bad", "the phone is very good", "the phone is a phone"};
    unsigned bad = 0;
    for (unsigned i = 0; i < count; i++) {
        char value[256];
        bool is_bad = bad_every && i % bad_every == bad_every - 1;
        int bytes = is_bad ? snprintf(value, sizeof value, "{\"text\": \"no end")
                           : snprintf(value, sizeof value, "{\"text\":\"%s %u\",\"entity\":\"e%u\",\"ts\":%u}", texts[i % 3], i, i % 7, 1700000000u);
        fake_topic_append(&world->input, (int32_t)(i % PARTITIONS), (struct sq_str){0}, (struct sq_str){value, (size_t)bytes}, 1700000000000);
        bad += is_bad;
    }
    return bad;
}

/* What came out, by input coordinate. */
struct found {
    unsigned scores[PARTITIONS][RECORDS], letters[PARTITIONS][RECORDS];
};

static void mark(unsigned counts[PARTITIONS][RECORDS], int32_t partition, int64_t offset)
{
    assert_in_range(partition, 0, PARTITIONS - 1);
    assert_in_range(offset, 0, RECORDS - 1);
    counts[partition][offset]++;
}

static void read_scores(const struct world *world, struct found *found)
{
    struct sq_arena arena;
    struct sq_err err;
    assert_int_equal(sq_arena_init(&arena, 4 << 20, &err), 0);
    for (int32_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < world->scores.partitions[i].count; j++) {
            const struct fake_record *record = &world->scores.partitions[i].records[j];
            struct sq_score score;
            arena.used_bytes = 0;
            if (sq_score_decode((struct sq_str){record->value, record->value_bytes}, &arena, &score, &err)) fail_msg("%s", err.message);
            assert_true(sq_str_equal(score.entity, (struct sq_str){record->key, record->key_bytes}));
            mark(found->scores, score.source.partition, score.source.offset);
        }
    sq_arena_deinit(&arena);
}

static const char *header_of(const struct fake_record *record, const char *name)
{
    for (unsigned i = 0; i < record->headers_count; i++)
        if (sq_str_equal(record->headers[i].name, sq_str_view(name))) return record->headers[i].value.data;
    return "";
}

static void read_letters(const struct world *world, struct found *found)
{
    for (int64_t j = 0; j < world->dlq.partitions[0].count; j++) {
        const struct fake_record *record = &world->dlq.partitions[0].records[j];
        mark(found->letters, atoi(header_of(record, "__squall.errors.partition")), atoi(header_of(record, "__squall.errors.offset")));
    }
}

static struct found *read_all(const struct world *world)
{
    struct found *found = calloc(1, sizeof *found);
    assert_non_null(found);
    read_scores(world, found);
    read_letters(world, found);
    return found;
}

/* Each input record is out exactly once, or at least once where results may have been thrown away. */
static void assert_all_out(const struct world *world, bool exactly)
{
    struct found *found = read_all(world);
    for (int32_t i = 0; i < PARTITIONS; i++)
        for (int64_t j = 0; j < world->input.partitions[i].count; j++) {
            unsigned count = found->scores[i][j] + found->letters[i][j];
            if (count == 0 || (exactly && count != 1)) fail_msg("posts[%d]@%d came out %u times", (int)i, (int)j, count);
        }
    free(found);
}

/* The promise behind a commit, whenever one looks. */
static void assert_committed_is_out(struct world *world)
{
    pthread_mutex_lock(&world->mutex);
    struct found *found = read_all(world);
    for (int32_t i = 0; i < PARTITIONS; i++)
        for (int64_t j = 0; j < world->input.committed[i]; j++)
            if (!found->scores[i][j] && !found->letters[i][j]) fail_msg("posts[%d]@%d is committed, but not out", (int)i, (int)j);
    pthread_mutex_unlock(&world->mutex);
    free(found);
}

static bool is_all_committed(struct world *world)
{
    bool is_all = true;
    pthread_mutex_lock(&world->mutex);
    for (int32_t i = 0; i < PARTITIONS; i++) is_all &= world->input.committed[i] == world->input.partitions[i].count;
    pthread_mutex_unlock(&world->mutex);
    return is_all;
}

/* The loop's side of the test: something to do now and then, and the end. */
struct driver {
    struct world *world;
    void (*act)(struct world *world, unsigned turn);
    unsigned turns;
};

static void on_turn(void *ctx)
{
    struct driver *driver = ctx;
    if (++driver->turns > TURNS_MAX) fail_msg("not done after %u turns", driver->turns);
    if (driver->act) driver->act(driver->world, driver->turns);
    if (is_all_committed(driver->world)) sq_pipeline_stop(driver->world->pipeline);
}

static int drive(struct world *world, void (*act)(struct world *world, unsigned turn))
{
    struct driver driver = {.world = world, .act = act};
    struct sq_timer *timer;
    assert_int_equal(sq_timer_open(&timer, world->loop, 10, on_turn, &driver, NULL), 0);
    int exit_code = sq_pipeline_run(world->pipeline);
    sq_timer_close(timer);
    return exit_code;
}

static void each_record_is_a_score_or_a_dead_letter(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    unsigned bad = fill(&world, RECORDS, 50);
    world.sink.prepare_fails = 1;
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_all_out(&world, true);
    assert_int_equal(fake_topic_count(&world.dlq), bad);
    const struct fake_record *letter = &world.dlq.partitions[0].records[0];
    assert_string_equal(header_of(letter, "__squall.errors.reason"), "decode");
    assert_string_equal(header_of(letter, "__squall.errors.topic"), "posts");
    assert_string_equal(header_of(letter, "__squall.errors.attempts"), "1");
    assert_string_equal(letter->value, "{\"text\": \"no end");
    assert_null(strstr(header_of(letter, "__squall.errors.message"), "no end"));
    world_close(&world);
}

static void what_the_source_cannot_read_is_a_dead_letter_of_coordinates(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 30, 0);
    for (int32_t i = 0; i < PARTITIONS; i++) fake_topic_append_unreadable(&world.input, i);
    fill(&world, 30, 0);
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_all_out(&world, true);
    assert_int_equal(fake_topic_count(&world.dlq), PARTITIONS);
    const struct fake_record *letter = &world.dlq.partitions[0].records[0];
    assert_string_equal(header_of(letter, "__squall.errors.reason"), "unreadable");
    assert_string_equal(header_of(letter, "__squall.errors.offset"), "10");
    assert_string_equal(header_of(letter, "__squall.errors.message"), "made unreadable");
    assert_null(letter->value);
    world_close(&world);
}

/* The registry is the process's own, so what earlier tests did counts as well: only the series' being alive is looked at. */
static void the_time_of_each_step_is_measured(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 50, 0);
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    struct sq_buf text;
    sq_buf_init(&text);
    sq_metrics_write(&text);
    static const char *const steps[] = {"decode", "queue", "encode", "commit"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char series[96];
        snprintf(series, sizeof series, "squall_stage_duration_seconds_count{stage=\"%s\"} ", steps[i]);
        const char *found = strstr(text.data, series);
        assert_non_null(found);
        if (strtod(found + strlen(series), NULL) <= 0) fail_msg("%s0", series);
    }
    sq_buf_deinit(&text);
    world_close(&world);
}

static void labels_follow_the_words(void **state)
{
    (void)state;
    static const char *const expected[] = {"negative", "positive", "neutral"};
    struct world world = {0};
    struct sq_arena arena;
    struct sq_err err;
    world_open(&world);
    fill(&world, 90, 0);
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_int_equal(sq_arena_init(&arena, 4 << 20, &err), 0);
    for (int32_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < world.scores.partitions[i].count; j++) {
            const struct fake_record *record = &world.scores.partitions[i].records[j];
            struct sq_score score;
            arena.used_bytes = 0;
            assert_int_equal(sq_score_decode((struct sq_str){record->value, record->value_bytes}, &arena, &score, &err), 0);
            int64_t i_th = score.source.offset * PARTITIONS + score.source.partition;
            assert_true(sq_str_equal(score.label, sq_str_view(expected[i_th % 3])));
            assert_int_equal(score.event_time_ms, 1700000000000);
            assert_int_equal(score.excerpt.bytes > 0, i_th % 3 == 0); /* the default rule watches "negative" */
        }
    sq_arena_deinit(&arena);
    world_close(&world);
}

/* Each record is out once, scored or skipped; what is skipped has no label, and the share is told by all. */
static void a_share_is_scored_and_the_rest_is_out_as_skipped(void **state)
{
    (void)state;
    struct world world = {0};
    struct sq_arena arena;
    struct sq_err err;
    unsigned skipped = 0;
    world_open(&world);
    fill(&world, 900, 0);
    world_start(&world);
    sq_score_stage_set_share(world.pipeline->score, 0.5);
    assert_int_equal(drive(&world, NULL), 0);
    assert_all_out(&world, true);
    assert_int_equal(sq_arena_init(&arena, 4 << 20, &err), 0);
    for (int32_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < world.scores.partitions[i].count; j++) {
            const struct fake_record *record = &world.scores.partitions[i].records[j];
            struct sq_score score;
            arena.used_bytes = 0;
            assert_int_equal(sq_score_decode((struct sq_str){record->value, record->value_bytes}, &arena, &score, &err), 0);
            assert_true(score.share == 0.5f);
            assert_int_equal(score.skipped, score.label.bytes == 0);
            assert_int_equal(score.skipped, score.probabilities_count == 0);
            assert_int_equal(score.skipped, sq_sample_takes(0.5, score.entity, &score.source) == false);
            skipped += score.skipped;
        }
    assert_in_range(skipped, 400, 500);
    struct sq_status status;
    sq_pipeline_status(world.pipeline, &status);
    assert_int_equal(status.skipped, skipped);
    assert_int_equal(status.scored, 900 - skipped);
    sq_arena_deinit(&arena);
    world_close(&world);
}

/* By a caller that is gone, or it would be answered before. */
static void a_request_in_the_pool_is_let_go_with_the_stage(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    world_start(&world);
    sq_predict_post(world.pipeline->predict, NULL, SQ_STR("{\"inputs\":[\"good phone\",\"bad phone\"]}"));
    assert_int_equal(sq_predict_pending(world.pipeline->predict), 2);
    world_close(&world);
}

static void failing_commits_are_tried_again_and_nothing_is_sent_twice(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 900, 40);
    world.sink.fail_every = 2;
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_all_out(&world, true);
    world_close(&world);
}

static void a_refused_score_becomes_a_dead_letter(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 300, 0);
    world.sink.refuse_every = 10;
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_all_out(&world, true);
    assert_int_equal(fake_topic_count(&world.dlq), 30);
    assert_string_equal(header_of(&world.dlq.partitions[0].records[0], "__squall.errors.reason"), "produce");
    world_close(&world);
}

/* Whoever began there before died; of the last one it is known that it had just the first record. */
static void what_killed_its_worker_alone_is_stepped_over(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 60, 0);
    world.input.committed[1] = 5;
    world.input.begun[1] = SQ_BREAKER_BEGUN_MAX + 1;
    world_start(&world);
    assert_int_equal(drive(&world, NULL), 0);
    assert_int_equal(fake_topic_count(&world.dlq), 1);
    const struct fake_record *letter = &world.dlq.partitions[0].records[0];
    assert_string_equal(header_of(letter, "__squall.errors.reason"), "crash_loop");
    assert_string_equal(header_of(letter, "__squall.errors.partition"), "1");
    assert_string_equal(header_of(letter, "__squall.errors.offset"), "5");
    assert_non_null(strstr(letter->value, "\"text\""));
    assert_int_equal(fake_topic_count(&world.scores), 60 - 5 - 1);
    assert_true(world.sink.commits > 40); /* one by one, each announced before */
    world_close(&world);
}

static void look_for_numbers(struct world *world, unsigned turn)
{
    (void)turn;
    pthread_mutex_lock(&world->mutex);
    for (int32_t i = 0; i < PARTITIONS; i++) world->begun_seen |= world->input.begun[i];
    pthread_mutex_unlock(&world->mutex);
}

static void who_dies_before_it_got_anywhere_is_in_the_number(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 300, 0);
    world.sink.delay_us = 30000; /* long enough to be seen in between */
    world_start(&world);
    assert_int_equal(drive(&world, look_for_numbers), 0);
    assert_int_equal(world.begun_seen, 1);
    for (int32_t i = 0; i < PARTITIONS; i++) assert_int_equal(world.input.begun[i], 0);
    assert_all_out(&world, true);
    world_close(&world);
}

static void revoke_now_and_then(struct world *world, unsigned turn)
{
    if (turn % 20 == 5) fake_source_revoke(&world->source);
    if (turn % 20 == 15 && world->source.releases) fake_source_assign(&world->source);
    assert_committed_is_out(world);
}

static void what_is_revoked_is_finished_and_committed_first(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 1500, 50);
    world.sink.delay_us = 3000;
    world_start(&world);
    assert_int_equal(drive(&world, revoke_now_and_then), 0);
    assert_true(world.source.releases > 0);
    assert_all_out(&world, true); /* all that was begun was committed, so nothing is read again */
    world_close(&world);
}

static void lose_now_and_then(struct world *world, unsigned turn)
{
    if (turn % 12 == 6) {
        fake_source_lose(&world->source);
        fake_source_assign(&world->source);
    }
    assert_committed_is_out(world);
}

static void what_is_lost_is_read_again_and_never_committed_by_us(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, 1500, 50);
    world.sink.delay_us = 3000;
    world_start(&world);
    assert_int_equal(drive(&world, lose_now_and_then), 0);
    assert_all_out(&world, false);
    world_close(&world);
}

static void stop_early(struct world *world, unsigned turn)
{
    if (turn == 3) sq_pipeline_stop(world->pipeline);
}

static void stopping_commits_what_was_finished_and_drops_the_rest(void **state)
{
    (void)state;
    struct world world = {0};
    world_open(&world);
    fill(&world, RECORDS, 0);
    world_start(&world);
    assert_int_equal(drive(&world, stop_early), 0);
    assert_true(world.source.is_closed);
    assert_committed_is_out(&world);
    struct found *found = read_all(&world);
    for (int32_t i = 0; i < PARTITIONS; i++) /* what is out is committed, so a restart repeats nothing */
        for (int64_t j = world.input.committed[i] < 0 ? 0 : world.input.committed[i]; j < RECORDS / PARTITIONS; j++)
            assert_int_equal(found->scores[i][j], 0);
    free(found);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_a_score_or_a_dead_letter),
        cmocka_unit_test(what_the_source_cannot_read_is_a_dead_letter_of_coordinates),
        cmocka_unit_test(the_time_of_each_step_is_measured),
        cmocka_unit_test(labels_follow_the_words),
        cmocka_unit_test(a_share_is_scored_and_the_rest_is_out_as_skipped),
        cmocka_unit_test(a_request_in_the_pool_is_let_go_with_the_stage),
        cmocka_unit_test(failing_commits_are_tried_again_and_nothing_is_sent_twice),
        cmocka_unit_test(a_refused_score_becomes_a_dead_letter),
        cmocka_unit_test(what_killed_its_worker_alone_is_stepped_over),
        cmocka_unit_test(who_dies_before_it_got_anywhere_is_in_the_number),
        cmocka_unit_test(what_is_revoked_is_finished_and_committed_first),
        cmocka_unit_test(what_is_lost_is_read_again_and_never_committed_by_us),
        cmocka_unit_test(stopping_commits_what_was_finished_and_drops_the_rest),
    };
    sq_log_set(SQ_LOG_ERROR, SQ_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
