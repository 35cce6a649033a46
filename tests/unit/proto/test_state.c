/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/codec.h"

static struct sq_arena arena;
static struct sq_buf out;

static int open_memory(void **state)
{
    (void)state;
    struct sq_err err;
    sq_buf_init(&out);
    return sq_arena_init(&arena, SQ_STATE_SCRATCH_BYTES, &err);
}

static int close_memory(void **state)
{
    (void)state;
    sq_buf_deinit(&out);
    sq_arena_deinit(&arena);
    return 0;
}

static void a_state_comes_back(void **state)
{
    (void)state;
    struct sq_err err;
    struct sq_state_record in = {3, SQ_STR("NegativeSpike"), SQ_STR("caf\0e"), -5, UINT64_C(0xfedcba9876543210), SQ_STR("\0\1\2")}, back;
    sq_buf_clear(&out);
    assert_int_equal(sq_state_encode(&in, &out, &err), 0);
    assert_int_equal(sq_state_decode(sq_buf_view(&out), &arena, &back, &err), 0);
    assert_int_equal(back.version, 3);
    assert_true(sq_str_equal(back.rule, in.rule) && sq_str_equal(back.entity, in.entity) && sq_str_equal(back.data, in.data));
    assert_int_equal(back.last_event_time_ms, -5);
    assert_true(back.lineage == in.lineage);
    for (size_t bytes = 1; bytes < out.bytes; bytes++) /* no cut crashes, whatever it says */
        sq_state_decode((struct sq_str){out.data, bytes}, &arena, &back, &err);
}

static void a_meta_comes_back(void **state)
{
    (void)state;
    struct sq_err err;
    const struct sq_state_meta in = {1, INT64_C(1) << 40, 1700000000000, 7, SQ_STR("shared")};
    struct sq_state_meta back;
    sq_buf_clear(&out);
    assert_int_equal(sq_state_meta_encode(&in, &out, &err), 0);
    assert_int_equal(sq_state_meta_decode(sq_buf_view(&out), &arena, &back, &err), 0);
    assert_true(back.next_offset == in.next_offset && back.watermark_ms == in.watermark_ms && back.lineage == 7);
    assert_true(sq_str_equal(back.data, in.data));
}

static void what_is_no_state_is_refused(void **state)
{
    (void)state;
    struct sq_err err;
    struct sq_state_record record;
    struct sq_state_meta meta;
    assert_int_equal(sq_state_decode(SQ_STR("\xff\xff\xff"), &arena, &record, &err), SQ_E_DECODE);
    assert_int_equal(sq_state_meta_decode(SQ_STR("\x32\xff\xff\xff\xff\x0f"), &arena, &meta, &err), SQ_E_DECODE); /* a length of 4 GB */
    struct sq_arena small = {0};
    assert_int_equal(sq_state_decode(SQ_STR(""), &small, &record, &err), SQ_E_FULL);
}

static void keys_tell_where_the_rule_ends(void **state)
{
    (void)state;
    struct sq_err err;
    struct sq_str rule, entity;
    sq_buf_clear(&out);
    assert_int_equal(sq_state_key_encode(SQ_STR("a"), SQ_STR("bc"), &out, &err), 0);
    assert_true(sq_state_key_decode(sq_buf_view(&out), &rule, &entity));
    assert_true(sq_str_equal(rule, SQ_STR("a")) && sq_str_equal(entity, SQ_STR("bc")));
    for (size_t bytes = 0; bytes < out.bytes; bytes++) assert_false(sq_state_key_decode((struct sq_str){out.data, bytes}, &rule, &entity));
    assert_false(sq_state_key_decode(sq_state_meta_key(), &rule, &entity));
    assert_false(sq_state_key_decode(SQ_STR("\xff\xff"), &rule, &entity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_comes_back),
        cmocka_unit_test(a_meta_comes_back),
        cmocka_unit_test(what_is_no_state_is_refused),
        cmocka_unit_test(keys_tell_where_the_rule_ends),
    };
    return cmocka_run_group_tests(tests, open_memory, close_memory);
}
