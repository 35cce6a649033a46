/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/letter_gate.h"

static struct sq_letter_gate gate;
static struct sq_err err;

static void open_gate(double ratio_max, unsigned over) { assert_int_equal(sq_letter_gate_init(&gate, ratio_max, over, &err), 0); }

static unsigned passes(unsigned count, bool is_letter)
{
    unsigned passed = 0;
    while (passed < count && sq_letter_gate_pass(&gate, is_letter)) passed++;
    return passed;
}

static void a_bad_start_shuts_it_once_enough_was_seen(void **state)
{
    (void)state;
    open_gate(0.5, 1000);
    assert_int_equal(passes(2000, true), 999);
    sq_letter_gate_deinit(&gate);
}

static void a_bad_deploy_shuts_it_after_half_a_window(void **state)
{
    (void)state;
    open_gate(0.5, 1000);
    assert_int_equal(passes(5000, false), 5000);
    assert_int_equal(passes(2000, true), 500);
    sq_letter_gate_deinit(&gate);
}

static void old_letters_are_forgotten(void **state)
{
    (void)state;
    open_gate(0.5, 100);
    for (int round = 0; round < 50; round++) {
        assert_int_equal(passes(50, true), 50);
        assert_int_equal(passes(50, false), 50);
    }
    sq_letter_gate_deinit(&gate);
}

static void one_means_never(void **state)
{
    (void)state;
    open_gate(1, 10);
    assert_int_equal(passes(1000, true), 1000);
    sq_letter_gate_deinit(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_start_shuts_it_once_enough_was_seen),
        cmocka_unit_test(a_bad_deploy_shuts_it_after_half_a_window),
        cmocka_unit_test(old_letters_are_forgotten),
        cmocka_unit_test(one_means_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
