/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "worker/core/threshold.h"

static const struct sq_threshold nobody;

static struct sq_threshold sample(void)
{
    struct sq_threshold tail = {.total = 692};
    tail.bins[3] = 9; /* 2.0 */
    tail.bins[4] = 4; /* 2.5 */
    tail.bins[5] = 2; /* 3.0 */
    tail.bins[7] = 1; /* 4.0 */
    return tail;
}

static void agrees_with_a_worked_value(void **state)
{
    (void)state;
    struct sq_threshold tail = sample();
    assert_true(fabs(sq_threshold_of(&tail, &nobody, 1) - 3.51124) < 1.0 / 2048);
}

static void asks_more_of_a_smaller_budget(void **state)
{
    (void)state;
    struct sq_threshold tail = sample();
    assert_true(sq_threshold_of(&tail, &nobody, 0.2) > sq_threshold_of(&tail, &nobody, 1));
    assert_true(sq_threshold_of(&tail, &nobody, 1) > sq_threshold_of(&tail, &nobody, 5));
    assert_true(sq_threshold_of(&tail, &nobody, 1e6) == 2);
}

static void waits_for_two_days_of_blocks(void **state)
{
    (void)state;
    struct sq_threshold tail = {0};
    for (int i = 0; i < 191; i++) sq_threshold_take_block(&tail, 4);
    assert_true(sq_threshold_of(&tail, &nobody, 1) == SQ_THRESHOLD_START);
    for (int i = 0; i < 100; i++) sq_threshold_take_block(&tail, 4);
    assert_true(sq_threshold_of(&tail, &nobody, 1) > SQ_THRESHOLD_START);
}

static void knows_nothing_of_a_calm_entity(void **state)
{
    (void)state;
    struct sq_threshold tail = {0};
    for (int i = 0; i < 1000; i++) sq_threshold_take_block(&tail, 0);
    assert_true(sq_threshold_of(&tail, &nobody, 1) == SQ_THRESHOLD_START);
}

static void keeps_real_spikes_out(void **state)
{
    (void)state;
    struct sq_threshold tail = {0};
    struct sq_peaks others = {0};
    sq_threshold_take_episode(&tail, &others, 4.8, 3.3);
    assert_true(tail.total == 0 && others.total == 0);
    sq_threshold_take_episode(&tail, &others, 4.7, 3.3); /* enters as 3.8 */
    assert_true(tail.total == 1 && tail.bins[6] == 1);
    sq_threshold_take_episode(&tail, &others, 3.4, 3.3);
    assert_true(tail.bins[5] == 1);
    assert_true(others.total == 2 && others.bins[5] == 1 && others.bins[6] == 1);
}

static void is_drawn_to_what_others_say(void **state)
{
    (void)state;
    struct sq_threshold tail = sample(), steep = {0}, flat = {0};
    struct sq_peaks peaks = {0};
    for (int i = 0; i < 10000; i++) sq_peaks_add(&peaks, i % 100 == 0 ? 2.2 : 0);
    sq_threshold_take_blocks(&steep, &peaks);
    assert_true(steep.total == 10000 && steep.bins[3] == 100);
    for (int i = 0; i < 300; i++) sq_peaks_add(&peaks, 4.2);
    sq_threshold_take_blocks(&flat, &peaks);
    double alone = sq_threshold_of(&tail, &nobody, 1);
    assert_true(sq_threshold_of(&tail, &steep, 1) < alone - 0.2);
    assert_true(sq_threshold_of(&tail, &flat, 1) > alone + 0.2);
}

/* The same tail, the same others: an entity whose usual peaks lie closer together than theirs has the steeper tail. */
static void others_tails_count_as_far_as_their_peaks_are_alike(void **state)
{
    (void)state;
    struct sq_threshold others = sample(), near = sample(), far = sample();
    others.bins[0] = 60, others.bins[1] = 30;
    near.bins[0] = 90;
    far.bins[2] = 90;
    near.bins[3] = far.bins[3] = 14; /* the tail begins there */
    assert_true(sq_threshold_of(&near, &others, 1) < sq_threshold_of(&far, &others, 1));
}

static void puts_what_is_far_out_into_the_last_bin(void **state)
{
    (void)state;
    struct sq_threshold tail = {0};
    sq_threshold_take_block(&tail, 99);
    sq_threshold_take_block(&tail, 0.49);
    assert_true(tail.bins[SQ_THRESHOLD_BINS - 1] > 0.99f && tail.bins[0] == 0);
    assert_true(tail.total > 1.99f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_worked_value),     cmocka_unit_test(asks_more_of_a_smaller_budget),
        cmocka_unit_test(waits_for_two_days_of_blocks),   cmocka_unit_test(knows_nothing_of_a_calm_entity),
        cmocka_unit_test(keeps_real_spikes_out),
        cmocka_unit_test(is_drawn_to_what_others_say),    cmocka_unit_test(others_tails_count_as_far_as_their_peaks_are_alike),
        cmocka_unit_test(puts_what_is_far_out_into_the_last_bin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
