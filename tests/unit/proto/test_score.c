/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/codec.h"

static struct sq_arena arena;
static struct sq_buf buf;
static struct sq_err err;

static int set_up(void **state)
{
    (void)state;
    sq_buf_init(&buf);
    return sq_arena_init(&arena, 2 * SQ_DECODE_SCRATCH_BYTES, &err);
}

static int tear_down(void **state)
{
    (void)state;
    sq_arena_deinit(&arena);
    sq_buf_deinit(&buf);
    return 0;
}

static struct sq_score sample(void)
{
    return (struct sq_score){
        .source = {SQ_STR("posts"), 4, 8812},
        .entity = SQ_STR("acme"),
        .event_time_ms = -1,
        .clamped = true,
        .label = SQ_STR("negative"),
        .probabilities = {0.75f, 0.2f, 0.05f},
        .probabilities_count = 3,
        .score = 0.75f,
        .model_digest = UINT64_MAX,
        .id = SQ_STR("i\0d"),
        .author_hash = 7,
        .text_hash = 9,
        .tokens = 128,
        .truncated = true,
        .share = 0.5f,
        .excerpt = SQ_STR("Battery died \xe2\x80\xa6"),
    };
}

static void assert_same(const struct sq_score *a, const struct sq_score *b)
{
    assert_true(sq_str_equal(a->source.topic, b->source.topic));
    assert_int_equal(a->source.partition, b->source.partition);
    assert_int_equal(a->source.offset, b->source.offset);
    assert_true(sq_str_equal(a->entity, b->entity));
    assert_int_equal(a->event_time_ms, b->event_time_ms);
    assert_int_equal(a->clamped, b->clamped);
    assert_int_equal(a->skipped, b->skipped);
    assert_true(a->share == b->share);
    assert_true(sq_str_equal(a->label, b->label));
    assert_int_equal(a->probabilities_count, b->probabilities_count);
    assert_memory_equal(a->probabilities, b->probabilities, a->probabilities_count * sizeof *a->probabilities);
    assert_memory_equal(&a->score, &b->score, sizeof a->score);
    assert_true(a->model_digest == b->model_digest);
    assert_true(sq_str_equal(a->id, b->id));
    assert_true(a->author_hash == b->author_hash && a->text_hash == b->text_hash);
    assert_int_equal(a->tokens, b->tokens);
    assert_int_equal(a->truncated, b->truncated);
    assert_true(sq_str_equal(a->excerpt, b->excerpt));
}

static void comes_back_whole(void **state)
{
    (void)state;
    struct sq_score in = sample(), out;
    assert_int_equal(sq_score_encode(&in, &buf, &err), 0);
    assert_int_equal(sq_score_decode(sq_buf_view(&buf), &arena, &out, &err), 0);
    memset(buf.data, 'x', buf.bytes);
    assert_same(&in, &out);
    assert_true(arena.used_bytes < 1024);
}

/* The bytes are the contract: a changed number or type of a field shows here. */
static void the_bytes_are_fixed(void **state)
{
    (void)state;
    const struct sq_score score = {.source = {SQ_STR("t"), 1, 2}, .entity = SQ_STR("e"), .event_time_ms = 3, .clamped = true,
                                   .label = SQ_STR("n"), .probabilities = {1.0f}, .probabilities_count = 1, .model_digest = 4,
                                   .id = SQ_STR("i"), .author_hash = 5, .text_hash = 6, .tokens = 7, .truncated = true,
                                   .excerpt = SQ_STR("x")};
    static const char expected[] = "\x0a\x01t" "\x10\x01" "\x18\x02" "\x22\x01" "e" "\x28\x03" "\x30\x01" "\x3a\x01n"
                                   "\x42\x04\x00\x00\x80\x3f" "\x49\x04\0\0\0\0\0\0\0" "\x52\x01i" "\x59\x05\0\0\0\0\0\0\0"
                                   "\x61\x06\0\0\0\0\0\0\0" "\x68\x07" "\x70\x01" "\x7a\x01x";
    assert_int_equal(sq_score_encode(&score, &buf, &err), 0);
    assert_int_equal(buf.bytes, sizeof expected - 1);
    assert_memory_equal(buf.data, expected, buf.bytes);
}

static int decode_with(void (*change)(struct sq_score *))
{
    struct sq_score in = sample(), out;
    change(&in);
    sq_buf_clear(&buf);
    assert_int_equal(sq_score_encode(&in, &buf, &err), 0);
    size_t used_bytes = arena.used_bytes;
    int code = sq_score_decode(sq_buf_view(&buf), &arena, &out, &err);
    if (code != 0) assert_int_equal(arena.used_bytes, used_bytes);
    return code;
}

static void no_entity(struct sq_score *score) { score->entity.bytes = 0; }
static void bad_entity(struct sq_score *score) { score->entity = SQ_STR("\xff"); }
static void bad_excerpt(struct sq_score *score) { score->excerpt = SQ_STR("a\xe2\x80"); }
static void nan_probability(struct sq_score *score) { score->probabilities[1] = 0.0f / (score->probabilities[2] - score->probabilities[2]); }
static void high_probability(struct sq_score *score) { score->probabilities[1] = 1.5f; }
static void long_entity(struct sq_score *score)
{
    static char name[SQ_ENTITY_BYTES_MAX + 1];
    memset(name, 'e', sizeof name);
    score->entity = (struct sq_str){name, sizeof name};
}

static void foreign_records_are_refused(void **state)
{
    (void)state;
    assert_int_equal(decode_with(no_entity), SQ_E_MISSING_FIELD);
    assert_int_equal(decode_with(bad_entity), SQ_E_INVALID_UTF8);
    assert_int_equal(decode_with(bad_excerpt), SQ_E_INVALID_UTF8);
    assert_int_equal(decode_with(nan_probability), SQ_E_WRONG_TYPE);
    assert_int_equal(decode_with(high_probability), SQ_E_WRONG_TYPE);
    assert_int_equal(decode_with(long_entity), SQ_E_TOO_LARGE);

    struct sq_score out;
    assert_int_equal(sq_score_decode(SQ_STR("{\"json\":1}"), &arena, &out, &err), SQ_E_DECODE);
    assert_int_equal(sq_score_decode((struct sq_str){NULL, 0}, &arena, &out, &err), SQ_E_MISSING_FIELD);
    static char large[SQ_RECORD_BYTES_MAX + 1];
    assert_int_equal(sq_score_decode((struct sq_str){large, sizeof large}, &arena, &out, &err), SQ_E_TOO_LARGE);
}

static void every_cut_is_refused_or_a_record(void **state)
{
    (void)state;
    struct sq_score in = sample(), out;
    assert_int_equal(sq_score_encode(&in, &buf, &err), 0);
    for (size_t bytes = 0; bytes < buf.bytes; bytes++) {
        int code = sq_score_decode((struct sq_str){buf.data, bytes}, &arena, &out, &err);
        assert_true(code == 0 || sq_err_class(code) == SQ_CLASS_POISON);
        sq_arena_rewind(&arena, 0);
    }
}

static void a_full_arena_is_told(void **state)
{
    (void)state;
    struct sq_score in = sample(), out;
    assert_int_equal(sq_score_encode(&in, &buf, &err), 0);
    assert_non_null(sq_arena_alloc(&arena, SQ_DECODE_SCRATCH_BYTES + 1));
    assert_int_equal(sq_score_decode(sq_buf_view(&buf), &arena, &out, &err), SQ_E_FULL);
}

static void a_score_over_its_bound_is_not_written(void **state)
{
    (void)state;
    static char excerpt[SQ_RECORD_BYTES_MAX];
    struct sq_score in = sample();
    in.excerpt = (struct sq_str){excerpt, sizeof excerpt};
    assert_int_equal(sq_score_encode(&in, &buf, &err), SQ_E_TOO_LARGE);
    assert_int_equal(buf.bytes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(comes_back_whole),
        TEST(the_bytes_are_fixed),
        TEST(foreign_records_are_refused),
        TEST(every_cut_is_refused_or_a_record),
        TEST(a_full_arena_is_told),
        TEST(a_score_over_its_bound_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
