/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "tests/lib/judge.h"
#include "tests/lib/random.h"
#include "worker/core/baseline.h"
#include "worker/core/fleet.h"

static struct sq_plan plan_of(const struct sq_rule *rule)
{
    struct sq_plan plan;
    struct sq_time_rules time = judge_time();
    struct sq_err err;
    assert_int_equal(sq_plan_init(&plan, rule, &time, &err), 0);
    return plan;
}

static const struct sq_counts quiet = {.count = 20, .matched = 2};

/* Blocks that are all alike, of an entity whose fleet has a share of 0.1. */
static void fold(struct sq_baseline *baseline, const struct sq_plan *plan, int64_t from, int64_t until, struct sq_counts each)
{
    for (int64_t block = from; block < until; block++) sq_baseline_fold(baseline, plan, block, each, 0.1);
}

static void decay_halves_in_a_half_life(void **state)
{
    (void)state;
    assert_true(fabs(sq_plan_decay(1, 2) - sqrt(0.5)) < 1e-15);
    assert_true(fabs(sq_plan_decay(900000, 604800000) - exp2(-1.0 / 672)) < 1e-15);
    double left = 1;
    for (int i = 0; i < 672; i++) left *= sq_plan_decay(900000, 604800000);
    assert_true(fabs(left - 0.5) < 1e-12);
}

static void starts_at_the_fleet(void **state)
{
    (void)state;
    struct sq_baseline baseline = {0};
    assert_true(sq_baseline_share(&baseline, 0.12) == 0.12);
    assert_true(sq_baseline_share(&baseline, 0) == 1e-4);
    assert_true(sq_baseline_share(&baseline, 1) == 1 - 1e-4);
    assert_true(fabs(sq_baseline_rho(&baseline, 0) - 0.02) < 1e-12);
}

static void learns_share_and_restlessness(void **state)
{
    (void)state;
    static const double rhos[] = {0.005, 0.03, 0.1};
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    double last_rho = 0;
    for (size_t i = 0; i < sizeof rhos / sizeof *rhos; i++) {
        struct sq_baseline baseline = {0};
        struct test_random random = {i + 1};
        double m = 1 / rhos[i] - 1;
        for (int64_t block = 0; block < 4000; block++) {
            double share = test_random_beta(&random, 0.15 * m, 0.85 * m);
            struct sq_counts counts = {.count = 50};
            for (int k = 0; k < 50; k++) counts.matched += test_random_real(&random) < share;
            sq_baseline_fold(&baseline, &plan, block, counts, 0.2);
        }
        assert_true(fabs(sq_baseline_share(&baseline, 0.2) - 0.15) < 0.02);
        assert_true(sq_baseline_rho(&baseline, 0) > last_rho);
        assert_true(fabs(sq_baseline_rho(&baseline, 0) - rhos[i]) < 0.02 + rhos[i] / 3);
        last_rho = sq_baseline_rho(&baseline, 0);
    }
}

static void a_spike_hardly_moves_it(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    struct sq_baseline baseline = {0};
    fold(&baseline, &plan, 0, 700, quiet);
    double before = sq_baseline_share(&baseline, 0.1);
    fold(&baseline, &plan, 700, 701, (struct sq_counts){.count = 200, .matched = 200});
    assert_true(sq_baseline_share(&baseline, 0.1) < before + 0.01);
}

static void held_blocks_change_nothing_until_the_level_shifts(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    struct sq_baseline baseline = {0};
    fold(&baseline, &plan, 0, 700, quiet);
    double before = sq_baseline_share(&baseline, 0.1);
    for (int i = 0; i < 90; i++) sq_baseline_hold(&baseline, (struct sq_counts){.count = 20, .matched = 10});
    assert_true(sq_baseline_share(&baseline, 0.1) == before);
    sq_baseline_shift(&baseline);
    assert_true(fabs(sq_baseline_share(&baseline, 0.1) - 0.5) < 0.01);
    assert_true(baseline.shadow_messages == 0);
}

static void what_came_lately_is_usual(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    struct sq_baseline baseline = {0};
    const struct sq_counts nothing = {0};
    assert_true(sq_baseline_now(&baseline, 0.1, quiet, 1).rate == 0); /* nobody knows yet */
    fold(&baseline, &plan, 0, 700, quiet);
    struct sq_usual usual = sq_baseline_now(&baseline, 0.1, nothing, 0);
    assert_true(fabs(usual.share - 0.1) < 0.001 && fabs(usual.rate - 20) < 0.1);

    usual = sq_baseline_now(&baseline, 0.1, (struct sq_counts){.count = 120, .matched = 36}, 4); /* an hour of more, and worse */
    assert_true(usual.share > 0.15 && usual.share < 0.2 && usual.rate > 25 && usual.rate < 30);
    fold(&baseline, &plan, 700, 748, (struct sq_counts){.count = 20, .matched = 6});
    usual = sq_baseline_now(&baseline, 0.1, nothing, 0); /* twelve hours of it: as good as all of the way */
    assert_true(usual.share > 0.25 && usual.share < 0.3 && sq_baseline_share(&baseline, 0.1) < 0.13);
    fold(&baseline, &plan, 748, 796, quiet);
    assert_true(sq_baseline_now(&baseline, 0.1, nothing, 0).share < 0.11); /* and back */
}

static void a_shift_moves_all_that_is_usual(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    struct sq_baseline baseline = {0};
    fold(&baseline, &plan, 0, 700, quiet);
    for (int i = 0; i < 90; i++) sq_baseline_hold(&baseline, (struct sq_counts){.count = 20, .matched = 10});
    sq_baseline_shift(&baseline);
    const struct sq_usual usual = sq_baseline_now(&baseline, 0.1, (struct sq_counts){0}, 0);
    assert_true(fabs(usual.share - 0.5) < 0.01 && fabs(usual.rate - 20) < 0.1);
}

static void empty_blocks_forget(void **state)
{
    (void)state;
    struct sq_rule rule = judge_rule();
    struct sq_plan plan = plan_of(&rule);
    struct sq_baseline baseline = {.messages = 1000, .matched = 100};
    fold(&baseline, &plan, 0, 672, (struct sq_counts){0});
    assert_true(fabs((double)baseline.messages - 500) < 0.1 && fabs((double)baseline.matched - 50) < 0.01);
}

static void the_fleet_is_all_of_them(void **state)
{
    (void)state;
    struct sq_fleet fleet = {0};
    assert_true(fabs(sq_fleet_share(&fleet) - 0.2) < 1e-12);
    sq_fleet_add(&fleet, (struct sq_counts){.count = 60000, .matched = 3000});
    sq_fleet_add(&fleet, (struct sq_counts){.count = 40000, .matched = 7000});
    assert_true(fabs(sq_fleet_share(&fleet) - 0.2) < 1e-12);
    sq_fleet_fold(&fleet, 0.999);
    assert_true(fabs(sq_fleet_share(&fleet) - 0.1) < 1e-4);
    assert_true(fleet.block_count == 0);
}

static void refuses_what_it_cannot_hold(void **state)
{
    (void)state;
    struct sq_time_rules time = judge_time();
    struct sq_plan plan;
    struct sq_err err;
    struct sq_rule rule = judge_rule();
    rule.windows_ms[1] = 7 * 3600000;
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "rules.NegativeSpike.windows"));
    rule = judge_rule();
    rule.min_authors = 9;
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), SQ_E_CONFIG);
    rule = judge_rule();
    rule.budget_per_entity_week = 0;
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), SQ_E_CONFIG);
    rule = judge_rule();
    strcpy(rule.summary, "{{entity}} {{moon}}");
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "{{moon}}"));
    rule = judge_rule();
    time.bucket_ms = 70000;
    assert_int_equal(sq_plan_init(&plan, &rule, &time, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "time.bucket"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decay_halves_in_a_half_life),   cmocka_unit_test(starts_at_the_fleet),
        cmocka_unit_test(learns_share_and_restlessness), cmocka_unit_test(a_spike_hardly_moves_it),
        cmocka_unit_test(held_blocks_change_nothing_until_the_level_shifts),
        cmocka_unit_test(what_came_lately_is_usual),
        cmocka_unit_test(a_shift_moves_all_that_is_usual),
        cmocka_unit_test(empty_blocks_forget),           cmocka_unit_test(the_fleet_is_all_of_them),
        cmocka_unit_test(refuses_what_it_cannot_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
