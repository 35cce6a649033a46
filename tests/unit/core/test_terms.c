/* SPDX-License-Identifier: Apache-2.0 */
/* Words that stand out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/core/terms.h"

#define LIST(terms, texts, entity, out) sq_terms_list(terms, texts, sizeof texts / sizeof *texts, entity, out)

static void usual_words_do_not_stand_out(void **state)
{
    (void)state;
    struct sq_terms terms = {0};
    for (int i = 0; i < 300; i++) sq_terms_take(&terms, i % 2 ? SQ_STR("the service is bad and slow") : SQ_STR("the food was bad"));
    const struct sq_str texts[] = {SQ_STR("the Battery is bad"), SQ_STR("my battery died, the acme battery"), SQ_STR("BATTERY is bad [url] [url]"),
                                   SQ_STR("bad acme battery [url]")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) sq_terms_take(&terms, texts[i]);
    struct sq_alert_term found[SQ_ALERT_TERMS_MAX];
    assert_int_equal(LIST(&terms, texts, SQ_STR("ACME Inc"), found), 1);
    assert_true(sq_str_equal(found[0].term, SQ_STR("Battery"))); /* as it was first written; once a text */
    assert_int_equal(found[0].texts, 4);
    assert_true(found[0].weight >= 2);
}

static void nothing_stands_out_of_a_single_text_or_none(void **state)
{
    (void)state;
    struct sq_terms terms = {0};
    const struct sq_str one[] = {SQ_STR("quite unusual words here")};
    struct sq_alert_term found[SQ_ALERT_TERMS_MAX];
    for (int i = 0; i < 50; i++) sq_terms_take(&terms, SQ_STR("other things"));
    assert_int_equal(LIST(&terms, one, SQ_STR("x"), found), 0);
    assert_int_equal(sq_terms_list(&terms, NULL, 0, SQ_STR("x"), found), 0);
}

static void old_words_are_forgotten_and_counts_stay_bounded(void **state)
{
    (void)state;
    struct sq_terms terms = {0};
    for (int i = 0; i < 20000; i++) sq_terms_take(&terms, i < 1000 ? SQ_STR("ancient") : SQ_STR("word"));
    assert_true(terms.texts <= SQ_TERMS_TEXTS_MAX);
    const struct sq_str texts[] = {SQ_STR("ancient"), SQ_STR("ancient"), SQ_STR("ancient word"), SQ_STR("ancient word")};
    struct sq_alert_term found[SQ_ALERT_TERMS_MAX];
    assert_int_equal(LIST(&terms, texts, SQ_STR("x"), found), 1);
    assert_true(sq_str_equal(found[0].term, SQ_STR("ancient")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_words_do_not_stand_out),
        cmocka_unit_test(nothing_stands_out_of_a_single_text_or_none),
        cmocka_unit_test(old_words_are_forgotten_and_counts_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
