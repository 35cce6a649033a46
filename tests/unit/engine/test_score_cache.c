/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept, what makes room, and that a text out of the cache or beside its copy has the bits of one that was encoded. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/metrics.h"
#include "engine/session.h"
#include "tests/lib/folder.h"
#include "tests/lib/testmodel.h"

enum { HIT, MISS };

static struct sq_err err;

static struct sq_score_key key_of(const struct sq_score_cache *cache, int32_t number) { return sq_score_cache_key(cache, &number, 1); }

static void insert(struct sq_score_cache *cache, int32_t number)
{
    struct sq_score_key key = key_of(cache, number);
    const float values[2] = {(float)number, (float)number * 2};
    sq_score_cache_insert(cache, &key, values);
}

/* Whether the number is held; what is held is right. */
static bool holds(struct sq_score_cache *cache, int32_t number)
{
    struct sq_score_key key = key_of(cache, number);
    float values[2];
    if (!sq_score_cache_find(cache, &key, values)) return false;
    assert_true(values[0] == (float)number && values[1] == (float)number * 2);
    return true;
}

static void test_bound(void **state)
{
    (void)state;
    struct sq_score_cache *cache;
    assert_int_equal(sq_score_cache_open(&cache, 1000, 2, &err), 0);
    assert_int_equal(sq_score_cache_texts_max(cache), 1000);
    assert_true(sq_score_cache_bytes(1000, 2) >= 1000 * (16 + 8));
    assert_true(sq_score_cache_bytes(1000, 2) < 1000 * (16 + 8 + 4) + 16384);
    for (int32_t i = 0; i < 100000; i++) insert(cache, i);
    unsigned held = 0;
    for (int32_t i = 0; i < 100000; i++) held += holds(cache, i);
    assert_int_equal(held, sq_score_cache_texts(cache));
    assert_int_equal(held, 1000); /* after a hundred times as many every set is full */
    sq_score_cache_close(cache);
}

/* One set: who was used longest ago makes room. */
static void test_eviction(void **state)
{
    (void)state;
    struct sq_score_cache *cache;
    assert_int_equal(sq_score_cache_open(&cache, 8, 2, &err), 0);
    assert_false(holds(cache, 0));
    for (int32_t i = 0; i < 8; i++) insert(cache, i);
    insert(cache, 3); /* is there already */
    assert_int_equal(sq_score_cache_texts(cache), 8);
    assert_true(holds(cache, 0)); /* used: now 1 is the oldest */
    insert(cache, 8);
    assert_false(holds(cache, 1));
    static const int32_t kept[] = {0, 2, 3, 4, 5, 6, 7, 8};
    for (unsigned i = 0; i < 8; i++) assert_true(holds(cache, kept[i]));
    assert_int_equal(sq_score_cache_texts(cache), 8);
    sq_score_cache_close(cache);
}

struct user {
    struct sq_score_cache *cache;
    unsigned first;
    pthread_t thread;
};

static void *use(void *arg)
{
    struct user *user = arg;
    for (unsigned i = 0; i < 20000; i++) {
        int32_t number = (int32_t)((user->first + i * 7919) % 300);
        if (!holds(user->cache, number)) insert(user->cache, number);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct user users[4];
    assert_int_equal(sq_score_cache_open(&users[0].cache, 200, 2, &err), 0);
    for (unsigned i = 0; i < 4; i++) {
        users[i] = (struct user){users[0].cache, i * 50, 0};
        pthread_create(&users[i].thread, NULL, use, &users[i]);
    }
    for (unsigned i = 0; i < 4; i++) pthread_join(users[i].thread, NULL);
    assert_true(sq_score_cache_texts(users[0].cache) <= sq_score_cache_texts_max(users[0].cache));
    sq_score_cache_close(users[0].cache);
}

static void assert_equal(const struct sq_prediction *a, const struct sq_prediction *b)
{
    assert_int_equal(a->code, b->code);
    assert_int_equal(a->label, b->label);
    assert_int_equal(a->tokens, b->tokens);
    assert_int_equal(a->truncated, b->truncated);
    assert_int_equal(a->text_hash, b->text_hash);
    assert_memory_equal(a->logits, b->logits, sizeof a->logits);
    assert_memory_equal(a->probabilities, b->probabilities, sizeof a->probabilities);
    assert_memory_equal(&a->score, &b->score, sizeof a->score);
}

/* Texts of the same tokens: white space and case are gone by then. What was cut off doesn't count, but is told. */
static void test_reuse(void **state)
{
    (void)state;
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_session *session;
    struct sq_score_cache *cache;
    test_folder_init(&folder);
    test_model_write(folder.path, &test_model_tiny);
    const struct sq_engine_options options = {.model_path = folder.path, .tokens_max = 8, .batch_tokens_max = 40};
    assert_int_equal(sq_engine_open(&engine, &options, &err), 0);
    assert_int_equal(sq_session_open(&session, engine, &err), 0);
    assert_int_equal(sq_score_cache_open(&cache, 100, test_model_tiny.labels, &err), 0);
    const struct sq_str first = SQ_STR("a b c");
    const struct sq_str copies[] = {SQ_STR("A  b C"), SQ_STR("d"), SQ_STR(" a b c"), SQ_STR("a b c d e f g"), SQ_STR("a b c d e f h"), SQ_STR("a b")};
    enum { COPIES = sizeof copies / sizeof *copies };
    struct sq_prediction plain[COPIES], again[COPIES], original;
    for (unsigned i = 0; i < COPIES; i++) sq_session_score(session, &copies[i], 1, &plain[i]);

    sq_session_reuse(session, NULL);
    int64_t collapsed = sq_metric_value(SQ_M_COLLAPSED_TEXTS, 0);
    assert_true(sq_session_try_add(session, first, &original));
    for (unsigned i = 0; i < COPIES; i++) assert_true(sq_session_try_add(session, copies[i], &again[i]));
    assert_int_equal(sq_session_texts_count(session), 4); /* a b c, d, the cut one, a b */
    assert_int_equal(sq_session_tokens_count(session), 5 + 3 + 8 + 4);
    sq_session_run(session);
    for (unsigned i = 0; i < COPIES; i++) assert_equal(&again[i], &plain[i]);
    assert_memory_equal(original.logits, plain[0].logits, sizeof original.logits);
    assert_int_equal(sq_metric_value(SQ_M_COLLAPSED_TEXTS, 0) - collapsed, 3);

    sq_session_reuse(session, cache);
    int64_t hits = sq_metric_value(SQ_M_SCORE_CACHE_LOOKUPS, HIT), misses = sq_metric_value(SQ_M_SCORE_CACHE_LOOKUPS, MISS);
    sq_session_score(session, &first, 1, &original);
    for (unsigned pass = 0; pass < 2; pass++) {
        memset(again, 0xff, sizeof again);
        sq_session_score(session, copies, COPIES, again);
        for (unsigned i = 0; i < COPIES; i++) assert_equal(&again[i], &plain[i]);
    }
    assert_int_equal(sq_metric_value(SQ_M_SCORE_CACHE_LOOKUPS, MISS) - misses, 4);
    assert_int_equal(sq_metric_value(SQ_M_SCORE_CACHE_LOOKUPS, HIT) - hits, 2 + COPIES); /* two copies of the first, then all */
    assert_true(sq_session_try_add(session, copies[1], &again[1])); /* known: filled at once, takes no place */
    assert_equal(&again[1], &plain[1]);
    assert_int_equal(sq_session_texts_count(session), 0);
    sq_session_close(session);
    sq_score_cache_close(cache);
    sq_engine_close(engine);
    test_folder_deinit(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bound), cmocka_unit_test(test_eviction), cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_reuse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
