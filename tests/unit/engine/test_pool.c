/* SPDX-License-Identifier: Apache-2.0 */
/* The pool under load from several producers, its bounds, and how it ends. Also what a race detector looks at. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/metrics.h"
#include "engine/pool.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

enum { PRODUCERS = 3, JOBS_EACH = 400, JOBS = PRODUCERS * JOBS_EACH };

static struct sq_err err;

struct fixture {
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_pool *pool;
    struct sq_job *jobs; /* [JOBS] */
    _Atomic unsigned done_count, batches_count;
    _Atomic bool hold; /* `done` waits while it is set */
};

static void count_done(struct sq_job *jobs, void *ctx)
{
    struct fixture *fixture = ctx;
    while (atomic_load(&fixture->hold)) sched_yield();
    atomic_fetch_add(&fixture->batches_count, 1);
    for (struct sq_job *job = jobs; job; job = job->next) {
        assert_true(job->submitted_ns <= job->started_ns && job->started_ns <= job->finished_ns);
        atomic_fetch_add(&fixture->done_count, 1);
    }
}

static void fixture_init(struct fixture *fixture, unsigned threads, size_t queue_jobs_max)
{
    test_folder_init(&fixture->folder);
    test_model_write(fixture->folder.path, &test_model_tiny);
    struct sq_engine_options options = {.model_path = fixture->folder.path};
    if (sq_engine_open(&fixture->engine, &options, &err) < 0) fail_msg("%s", err.message);
    fixture->jobs = calloc(JOBS, sizeof *fixture->jobs);
    atomic_init(&fixture->done_count, 0);
    atomic_init(&fixture->batches_count, 0);
    atomic_init(&fixture->hold, false);
    struct sq_pool_options pool_options = {.threads = threads, .queue_jobs_max = queue_jobs_max, .done = count_done, .done_ctx = fixture};
    assert_int_equal(sq_pool_open(&fixture->pool, fixture->engine, &pool_options, &err), 0);
}

static void fixture_deinit(struct fixture *fixture)
{
    sq_engine_close(fixture->engine);
    free(fixture->jobs);
    test_folder_deinit(&fixture->folder);
}

static const char *const samples[] = {"good morning", "a", "", "what a day 1 2 3 4 5 6 7 8 9", "bad \xff", "abc def ghi jkl mno pqr stu vwx yz"};
enum { SAMPLES_COUNT = sizeof samples / sizeof *samples };

struct producer {
    struct fixture *fixture;
    unsigned first;
    pthread_t thread;
};

static void *produce(void *arg)
{
    struct producer *producer = arg;
    for (unsigned i = 0; i < JOBS_EACH; i++) {
        struct sq_job *job = &producer->fixture->jobs[producer->first + i];
        job->text = sq_str_view(samples[i % SAMPLES_COUNT]);
        while (sq_pool_try_submit(producer->fixture->pool, job) == SQ_E_FULL) sched_yield();
    }
    return NULL;
}

/* Every job comes back once, with what a session says of its text. */
static void test_many_producers(void **state)
{
    (void)state;
    struct fixture fixture;
    struct producer producers[PRODUCERS];
    struct sq_prediction expected[SAMPLES_COUNT];
    struct sq_session *session;
    fixture_init(&fixture, 4, 64);
    int64_t tokens_before = sq_metric_value(SQ_M_INFERENCE_TOKENS, 0);
    assert_int_equal(sq_pool_threads(fixture.pool), 4);
    assert_int_equal(sq_metric_value(SQ_M_ENGINE_THREADS, 0), 4);
    assert_int_equal(sq_metric_value(SQ_M_QUEUE_CAPACITY, 0), 64);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){&fixture, i * JOBS_EACH, 0};
        pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) pthread_join(producers[i].thread, NULL);
    sq_pool_close(fixture.pool);
    assert_int_equal(atomic_load(&fixture.done_count), JOBS);
    assert_int_equal(sq_session_open(&session, fixture.engine, &err), 0);
    for (unsigned i = 0; i < SAMPLES_COUNT; i++) {
        struct sq_str text = sq_str_view(samples[i]);
        sq_session_score(session, &text, 1, &expected[i]);
    }
    int64_t tokens = 0;
    for (unsigned i = 0; i < JOBS; i++) {
        const struct sq_prediction *given = &fixture.jobs[i].prediction, *right = &expected[i % JOBS_EACH % SAMPLES_COUNT];
        assert_int_equal(given->code, right->code);
        tokens += given->tokens;
        for (unsigned label = 0; label < test_model_tiny.labels; label++) {
            float difference = given->probabilities[label] - right->probabilities[label];
            assert_true(difference < 1e-6f && difference > -1e-6f);
        }
    }
    assert_int_equal(sq_metric_value(SQ_M_INFERENCE_TOKENS, 0) - tokens_before, tokens);
    assert_int_equal(sq_metric_value(SQ_M_QUEUE_ITEMS, 0), 0);
    assert_int_equal(sq_metric_value(SQ_M_ENGINE_THREADS_BUSY, 0), 0);
    sq_session_close(session);
    fixture_deinit(&fixture);
}

/* A full queue says so; a job that was refused is still the caller's; closing finishes what is queued. */
static void test_bounds(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 1, 4);
    atomic_store(&fixture.hold, true); /* the thread takes one batch and is stuck in done */
    unsigned accepted = 0, refused = 0;
    for (unsigned i = 0; i < JOBS && refused < 3; i++) {
        fixture.jobs[i].text = SQ_STR("a");
        int status = sq_pool_try_submit(fixture.pool, &fixture.jobs[i]);
        if (status == 0) accepted++;
        else refused++;
        assert_true(status == 0 || status == SQ_E_FULL);
        while (accepted == 1 && sq_pool_queued(fixture.pool) > 0) sched_yield(); /* until the thread has it */
    }
    assert_int_equal(refused, 3);
    assert_int_equal(sq_pool_queued(fixture.pool), 4);
    assert_int_equal(accepted, 5);
    atomic_store(&fixture.hold, false);
    sq_pool_close(fixture.pool);
    assert_int_equal(atomic_load(&fixture.done_count), 5);
    fixture_deinit(&fixture);
}

static void test_idle(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_pool_times times;
    fixture_init(&fixture, 2, 0);
    assert_int_equal(sq_pool_oldest_started_ns(fixture.pool), 0);
    assert_int_equal(sq_pool_queued(fixture.pool), 0);
    fixture.jobs[0].text = SQ_STR("a b c");
    assert_int_equal(sq_pool_try_submit(fixture.pool, &fixture.jobs[0]), 0);
    while (atomic_load(&fixture.done_count) == 0) sched_yield();
    sq_pool_times(fixture.pool, &times);
    assert_true(times.encoding_ns > 0 && times.tokenising_cpu_ns > 0);
    sq_pool_close(fixture.pool);
    fixture_deinit(&fixture);
}

static void test_threads(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_pool *pool;
    assert_true(sq_pool_threads_default() >= 1);
    fixture_init(&fixture, 0, 0);
    assert_int_equal(sq_pool_threads(fixture.pool), sq_pool_threads_default());
    sq_pool_close(fixture.pool);
    struct sq_pool_options options = {.threads = 1000000, .done = count_done};
    assert_int_equal(sq_pool_open(&pool, fixture.engine, &options, &err), SQ_E_CONFIG);
    assert_null(pool);
    fixture_deinit(&fixture);
}

/* While the pool is resized again and again, every job comes back once. */
static void test_resize(void **state)
{
    (void)state;
    struct fixture fixture;
    struct producer producer;
    fixture_init(&fixture, 4, 64);
    producer = (struct producer){&fixture, 0, 0};
    pthread_create(&producer.thread, NULL, produce, &producer);
    for (unsigned i = 0; i < 40; i++) {
        static const unsigned sizes[] = {1, 3, 0, 4, 2, 100};
        static const unsigned given[] = {1, 3, 1, 4, 2, 4}; /* one at least, and not more than were asked for at open */
        assert_int_equal(sq_pool_resize(fixture.pool, sizes[i % 6], &err), 0);
        assert_int_equal(sq_pool_threads(fixture.pool), given[i % 6]);
        assert_int_equal(sq_metric_value(SQ_M_ENGINE_THREADS, 0), given[i % 6]);
        assert_int_equal(sq_metric_value(SQ_M_ENGINE_THREADS_PARKED, 0), 4 - given[i % 6]);
    }
    assert_int_equal(sq_pool_resize(fixture.pool, 1, &err), 0);
    pthread_join(producer.thread, NULL);
    while (atomic_load(&fixture.done_count) < JOBS_EACH) sched_yield();
    sq_pool_close(fixture.pool); /* three of four are parked */
    assert_int_equal(atomic_load(&fixture.done_count), JOBS_EACH);
    fixture_deinit(&fixture);
}

struct order {
    struct fixture fixture;
    unsigned interactive_at, finished; /* one thread counts */
};

static void note_order(struct sq_job *jobs, void *ctx)
{
    struct order *order = ctx;
    while (atomic_load(&order->fixture.hold)) sched_yield();
    for (; jobs; jobs = jobs->next) {
        order->finished++;
        if (jobs->class == SQ_JOB_INTERACTIVE) order->interactive_at = order->finished;
    }
}

/* One that comes last is answered before the backlog: behind the batch that runs, and no other. */
static void test_interactive(void **state)
{
    (void)state;
    struct order order = {.interactive_at = 0};
    struct fixture *fixture = &order.fixture;
    fixture_init(fixture, 1, 0);
    sq_pool_close(fixture->pool);
    const struct sq_pool_options options = {.threads = 1, .done = note_order, .done_ctx = &order};
    assert_int_equal(sq_pool_open(&fixture->pool, fixture->engine, &options, &err), 0);
    atomic_store(&fixture->hold, true);
    for (unsigned i = 0; i < 1000; i++) {
        fixture->jobs[i].text = SQ_STR("what a day 1 2 3 4 5 6 7 8 9");
        assert_int_equal(sq_pool_try_submit(fixture->pool, &fixture->jobs[i]), 0);
    }
    while (sq_pool_queued(fixture->pool) == 1000) sched_yield(); /* until the first batch is drawn */
    fixture->jobs[1000] = (struct sq_job){.text = SQ_STR("a"), .class = SQ_JOB_INTERACTIVE};
    assert_int_equal(sq_pool_try_submit(fixture->pool, &fixture->jobs[1000]), 0);
    atomic_store(&fixture->hold, false);
    sq_pool_close(fixture->pool);
    assert_int_equal(order.finished, 1001);
    assert_in_range(order.interactive_at, 2, 1 + 256 / 14); /* a text has 14 tokens */
    fixture_deinit(fixture);
}

/* A batch that may wait for a minute runs as soon as it is half full, somebody interactive comes, or the pool is closed. */
static void test_gathering(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture, 1, 0);
    sq_pool_close(fixture.pool);
    const struct sq_pool_options options = {.threads = 1, .wait_ms_max = 60000, .done = count_done, .done_ctx = &fixture};
    assert_int_equal(sq_pool_open(&fixture.pool, fixture.engine, &options, &err), 0);
    int64_t tokens_before = sq_metric_value(SQ_M_INFERENCE_TOKENS, 0);
    for (unsigned i = 0; i < 9; i++) { /* of 15 tokens: the ninth makes it 135 of 256 */
        fixture.jobs[i].text = SQ_STR("what a day 1 2 3 4 5");
        assert_int_equal(atomic_load(&fixture.done_count), 0);
        assert_int_equal(sq_pool_try_submit(fixture.pool, &fixture.jobs[i]), 0);
    }
    while (atomic_load(&fixture.done_count) < 9) sched_yield();
    assert_int_equal(atomic_load(&fixture.batches_count), 1);
    assert_int_equal(sq_metric_value(SQ_M_INFERENCE_TOKENS, 0) - tokens_before, 135);
    fixture.jobs[9].text = SQ_STR("a");
    fixture.jobs[10] = (struct sq_job){.text = SQ_STR("a"), .class = SQ_JOB_INTERACTIVE};
    assert_int_equal(sq_pool_try_submit(fixture.pool, &fixture.jobs[9]), 0);
    while (sq_pool_queued(fixture.pool) > 0) sched_yield(); /* drawn: the batch waits */
    assert_int_equal(sq_pool_try_submit(fixture.pool, &fixture.jobs[10]), 0);
    while (atomic_load(&fixture.done_count) < 11) sched_yield();
    fixture.jobs[11].text = SQ_STR("a");
    assert_int_equal(sq_pool_try_submit(fixture.pool, &fixture.jobs[11]), 0);
    sq_pool_close(fixture.pool);
    assert_int_equal(atomic_load(&fixture.done_count), 12);
    fixture_deinit(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_producers),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_gathering),
        cmocka_unit_test(test_interactive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
