/* SPDX-License-Identifier: Apache-2.0 */
/* The list of silences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/silence.h"

static struct sq_silence of(uint64_t id, const char *rule, const char *entity, int64_t from_ms, int64_t until_ms)
{
    struct sq_silence silence = {.id = id, .from_ms = from_ms, .until_ms = until_ms};
    strcpy(silence.rule, rule);
    strcpy(silence.entity, entity);
    return silence;
}

static void holds_by_pattern_and_time(void **state)
{
    (void)state;
    struct sq_silences silences = {0};
    struct sq_silence brands = of(7, "Negative*", "brand-*", 100, 200);
    assert_true(sq_silences_put(&silences, &brands));
    assert_non_null(sq_silences_find(&silences, SQ_STR("NegativeSpike"), SQ_STR("brand-a"), 100));
    assert_non_null(sq_silences_find(&silences, SQ_STR("NegativeSpike"), SQ_STR("brand-a"), 199));
    assert_null(sq_silences_find(&silences, SQ_STR("NegativeSpike"), SQ_STR("brand-a"), 200));
    assert_null(sq_silences_find(&silences, SQ_STR("NegativeSpike"), SQ_STR("brand-a"), 99));
    assert_null(sq_silences_find(&silences, SQ_STR("VolumeSpike"), SQ_STR("brand-a"), 150));
    assert_null(sq_silences_find(&silences, SQ_STR("NegativeSpike"), SQ_STR("other"), 150));
    sq_silences_deinit(&silences);
}

static void an_id_is_one_silence(void **state)
{
    (void)state;
    struct sq_silences silences = {0};
    struct sq_silence all = of(2, "", "", 0, 100), longer = of(2, "", "", 0, 500), other = of(1, "", "x", 0, 50);
    assert_true(sq_silences_put(&silences, &all) && sq_silences_put(&silences, &longer) && sq_silences_put(&silences, &other));
    assert_int_equal(silences.count, 2);
    assert_int_equal(sq_silences_find(&silences, SQ_STR("r"), SQ_STR("x"), 10)->id, 1);
    assert_int_equal(sq_silences_find(&silences, SQ_STR("r"), SQ_STR("x"), 400)->id, 2);
    sq_silences_expire(&silences, 50);
    assert_int_equal(silences.count, 1);
    assert_false(sq_silences_remove(&silences, 1));
    assert_true(sq_silences_remove(&silences, 2));
    assert_int_equal(silences.count, 0);
    sq_silences_deinit(&silences);
}

static void there_are_so_many_and_no_more(void **state)
{
    (void)state;
    struct sq_silences silences = {0};
    for (uint64_t id = SQ_SILENCES_MAX; id > 0; id--) {
        struct sq_silence silence = of(id, "", "", 0, 100);
        assert_true(sq_silences_put(&silences, &silence));
    }
    struct sq_silence one_more = of(1000, "", "", 0, 100), known = of(3, "", "", 0, 7);
    assert_false(sq_silences_put(&silences, &one_more));
    assert_true(sq_silences_put(&silences, &known));
    assert_int_equal(silences.count, SQ_SILENCES_MAX);
    assert_int_equal(silences.items[2].until_ms, 7);
    sq_silences_deinit(&silences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_by_pattern_and_time),
        cmocka_unit_test(an_id_is_one_silence),
        cmocka_unit_test(there_are_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
