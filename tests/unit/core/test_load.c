/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/load.h"

/* A worker that scores so many records a second and skips what it need not score, at no cost. */
struct world {
    struct sq_load load;
    struct sq_load_second now;
    unsigned behind, caught_up, steps;
};

static void go_on(struct world *world, unsigned seconds, unsigned arriving, unsigned capacity)
{
    for (unsigned i = 0; i < seconds; i++) {
        double share = sq_load_share(&world->load);
        uint64_t waiting = (uint64_t)world->now.lag + arriving;
        uint64_t scored = (uint64_t)fmin((double)waiting * share, capacity);
        uint64_t done = (uint64_t)fmin((double)waiting, (double)scored / share);
        world->now.lag = (int64_t)(waiting - done);
        world->now.done += done;
        world->now.scored += scored;
        enum sq_load_news news = sq_load_note(&world->load, &world->now);
        world->behind += news == SQ_LOAD_BEHIND;
        world->caught_up += news == SQ_LOAD_CAUGHT_UP;
        world->steps += sq_load_share(&world->load) != share;
    }
}

static void a_backlog_is_told_once_and_its_end_once(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    go_on(&world, 120, 50, 100);
    assert_int_equal(world.behind + world.caught_up, 0);
    world.now.lag = 60000; /* ten minutes of work */
    go_on(&world, 300, 50, 100);
    assert_int_equal(world.behind, 1);
    assert_true(world.load.is_behind);
    double seconds = sq_load_catch_up_seconds(&world.load);
    assert_true(fabs(seconds - (double)world.now.lag / 50) < 0.1 * seconds);
    go_on(&world, 3600, 50, 100);
    assert_int_equal(world.behind, 1);
    assert_int_equal(world.caught_up, 1);
    assert_true(sq_load_catch_up_seconds(&world.load) == 0);
}

static void more_than_can_be_done_never_ends(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    go_on(&world, 300, 150, 100);
    assert_true(isinf(sq_load_catch_up_seconds(&world.load)));
    assert_int_equal(world.behind, 1);
    assert_true(sq_load_share(&world.load) == 1); /* it waits, unless it is to sample */
}

static void a_gust_is_nothing_to_tell(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    go_on(&world, 60, 50, 100);
    go_on(&world, 20, 1000, 100);
    go_on(&world, 300, 0, 1000);
    assert_int_equal(world.behind + world.caught_up, 0);
}

/* A rate of hardly anything is not what it can: twenty seconds' work after a quiet hour is no backlog to sample for. */
static void a_burst_after_a_quiet_time_is_no_backlog(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    sq_load_init(&world.load, 60);
    go_on(&world, 3600, 1, 100);
    world.now.lag = 2000;
    go_on(&world, 60, 1, 100);
    assert_int_equal(world.steps + world.behind, 0);
    world.now.lag = 20000; /* this one is */
    go_on(&world, 20, 1, 100);
    assert_true(sq_load_share(&world.load) < 1);
}

static void an_assignment_is_no_arrival(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    go_on(&world, 60, 50, 100);
    world.now.assignment = 2;
    world.now.lag = 100000;
    go_on(&world, 1, 50, 100);
    assert_true(sq_load_catch_up_seconds(&world.load) == -1);
    go_on(&world, 60, 50, 100);
    assert_true(fabs(world.load.arrival_rate - 50) < 5);
}

static void what_is_unknown_is_told_as_such(void **state)
{
    (void)state;
    struct sq_load load = {0};
    const struct sq_load_second second = {.lag = -1};
    for (int i = 0; i < 100; i++) assert_int_equal(sq_load_note(&load, &second), SQ_LOAD_NOTHING);
    assert_true(sq_load_catch_up_seconds(&load) == -1);
    assert_true(sq_load_backlog_seconds(&load) == -1);
}

/* Ten seconds for the rates to settle, and not one more. */
static void the_first_step_is_taken_at_once(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1, .lag = 100000}};
    sq_load_init(&world.load, 60);
    go_on(&world, 10, 50, 100);
    assert_true(sq_load_share(&world.load) == 1);
    go_on(&world, 1, 50, 100);
    assert_true(sq_load_share(&world.load) == 0.05);
}

static void the_share_falls_with_the_backlog_and_keeps_it_bounded(void **state)
{
    (void)state;
    for (unsigned arriving = 50; arriving <= 1600; arriving *= 2) {
        struct world world = {.now = {.assignment = 1}};
        sq_load_init(&world.load, 60);
        go_on(&world, 7200, arriving, 100);
        double backlog = (double)world.now.lag / 100;
        if (backlog > 60 * 16) fail_msg("%u a second: %.0f s of backlog", arriving, backlog);
        assert_int_equal(world.steps > 0, arriving > 100);
    }
}

static void the_share_comes_back_when_the_backlog_is_gone(void **state)
{
    (void)state;
    struct world world = {.now = {.assignment = 1}};
    sq_load_init(&world.load, 60);
    go_on(&world, 1800, 800, 100);
    assert_true(sq_load_share(&world.load) <= 0.2);
    go_on(&world, 7200, 50, 100);
    assert_true(sq_load_share(&world.load) == 1);
    unsigned steps = world.steps;
    go_on(&world, 7200, 50, 100);
    assert_int_equal(world.steps, steps);
}

/* At any steady load it settles, or goes to and fro between neighbours at a pace that nobody minds. */
static void the_share_does_not_swing_with_each_second(void **state)
{
    (void)state;
    for (unsigned arriving = 60; arriving <= 1500; arriving += 60) {
        struct world world = {.now = {.assignment = 1}};
        sq_load_init(&world.load, 60);
        go_on(&world, 36000, arriving, 100);
        if (world.steps > 36000 / 60) fail_msg("%u a second: %u changes in ten hours", arriving, world.steps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backlog_is_told_once_and_its_end_once),
        cmocka_unit_test(more_than_can_be_done_never_ends),
        cmocka_unit_test(a_gust_is_nothing_to_tell),
        cmocka_unit_test(a_burst_after_a_quiet_time_is_no_backlog),
        cmocka_unit_test(an_assignment_is_no_arrival),
        cmocka_unit_test(what_is_unknown_is_told_as_such),
        cmocka_unit_test(the_first_step_is_taken_at_once),
        cmocka_unit_test(the_share_falls_with_the_backlog_and_keeps_it_bounded),
        cmocka_unit_test(the_share_comes_back_when_the_backlog_is_gone),
        cmocka_unit_test(the_share_does_not_swing_with_each_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
