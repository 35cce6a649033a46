/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/breaker.h"

enum { IN_FLIGHT = 4 };

/* A commit that goes well. The number that is in the log afterwards. */
static unsigned commit(struct sq_breaker *breaker, bool has_moved)
{
    unsigned number = sq_breaker_send(breaker, has_moved);
    sq_breaker_committed(breaker, number, has_moved);
    return number;
}

/* A worker that begins at an offset with this number and dies before it gets further. */
static unsigned die(unsigned begun)
{
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, begun, IN_FLIGHT);
    assert_false(sq_breaker_is_armed(&breaker));
    sq_breaker_arm(&breaker);
    unsigned number = commit(&breaker, false);
    assert_true(sq_breaker_is_armed(&breaker));
    return number;
}

static void each_worker_that_dies_without_getting_further_adds_one(void **state)
{
    (void)state;
    assert_int_equal(die(0), 1);
    assert_int_equal(die(die(0)), 2);
    assert_int_equal(die(die(die(0))), SQ_BREAKER_BEGUN_MAX);
}

static void who_gets_further_clears_the_number_for_good(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, 2, IN_FLIGHT);
    sq_breaker_arm(&breaker);
    assert_int_equal(commit(&breaker, false), 3);
    assert_int_equal(commit(&breaker, true), 0);
    assert_int_equal(commit(&breaker, true), 0);
    assert_true(sq_breaker_is_armed(&breaker));
    sq_breaker_disarm(&breaker);
    assert_false(sq_breaker_wishes(&breaker));
}

static void who_gives_up_in_order_takes_itself_off(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, 1, IN_FLIGHT);
    sq_breaker_arm(&breaker);
    assert_int_equal(commit(&breaker, false), 2);
    sq_breaker_disarm(&breaker);
    assert_true(sq_breaker_wishes(&breaker));
    assert_int_equal(commit(&breaker, false), 1);
    assert_false(sq_breaker_wishes(&breaker));
}

static void giving_up_waits_for_a_commit_that_may_arm(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, 0, IN_FLIGHT);
    sq_breaker_arm(&breaker);
    unsigned number = sq_breaker_send(&breaker, false);
    sq_breaker_disarm(&breaker);
    assert_true(sq_breaker_wishes(&breaker)); /* so the partition isn't settled */
    sq_breaker_committed(&breaker, number, false);
    sq_breaker_disarm(&breaker);
    assert_int_equal(commit(&breaker, false), 0);
}

static void arming_that_was_not_sent_is_just_dropped(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, 0, IN_FLIGHT);
    sq_breaker_arm(&breaker);
    sq_breaker_disarm(&breaker);
    assert_false(sq_breaker_wishes(&breaker));
}

static void after_some_deaths_records_are_taken_one_by_one(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, SQ_BREAKER_BEGUN_MAX, IN_FLIGHT);
    for (int i = 0; i < IN_FLIGHT; i++) {
        assert_true(sq_breaker_is_careful(&breaker));
        assert_false(sq_breaker_condemns(&breaker));
        assert_false(sq_breaker_is_armed(&breaker)); /* each record is a beginning of its own */
        sq_breaker_arm(&breaker);
        assert_int_equal(commit(&breaker, false), SQ_BREAKER_BEGUN_MAX + 1);
        assert_int_equal(commit(&breaker, true), i + 1 < IN_FLIGHT ? SQ_BREAKER_BEGUN_MAX : 0);
    }
    assert_false(sq_breaker_is_careful(&breaker));
    assert_true(sq_breaker_is_armed(&breaker));
}

static void who_died_alone_with_a_record_condemns_it_and_no_other(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, die(SQ_BREAKER_BEGUN_MAX), IN_FLIGHT);
    assert_true(sq_breaker_condemns(&breaker));
    assert_int_equal(commit(&breaker, true), SQ_BREAKER_BEGUN_MAX);
    assert_false(sq_breaker_condemns(&breaker));
    assert_true(sq_breaker_is_careful(&breaker)); /* there may be another */
}

static void a_careful_worker_that_gives_up_in_order_condemns_nothing(void **state)
{
    (void)state;
    struct sq_breaker breaker;
    sq_breaker_init(&breaker, SQ_BREAKER_BEGUN_MAX, IN_FLIGHT);
    sq_breaker_arm(&breaker);
    assert_int_equal(commit(&breaker, false), SQ_BREAKER_BEGUN_MAX + 1);
    sq_breaker_disarm(&breaker);
    sq_breaker_init(&breaker, commit(&breaker, false), IN_FLIGHT);
    assert_false(sq_breaker_condemns(&breaker));
}

static void all_zero_counts_nothing(void **state)
{
    (void)state;
    struct sq_breaker breaker = {0};
    assert_int_equal(commit(&breaker, true), 0);
    assert_int_equal(commit(&breaker, false), 0);
    sq_breaker_disarm(&breaker);
    assert_false(sq_breaker_wishes(&breaker));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_worker_that_dies_without_getting_further_adds_one),
        cmocka_unit_test(who_gets_further_clears_the_number_for_good),
        cmocka_unit_test(who_gives_up_in_order_takes_itself_off),
        cmocka_unit_test(giving_up_waits_for_a_commit_that_may_arm),
        cmocka_unit_test(arming_that_was_not_sent_is_just_dropped),
        cmocka_unit_test(after_some_deaths_records_are_taken_one_by_one),
        cmocka_unit_test(who_died_alone_with_a_record_condemns_it_and_no_other),
        cmocka_unit_test(a_careful_worker_that_gives_up_in_order_condemns_nothing),
        cmocka_unit_test(all_zero_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
