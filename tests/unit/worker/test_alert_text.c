/* SPDX-License-Identifier: Apache-2.0 */
/* What squall alerts says of a record: each kind in its own words, nothing that counts left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/cli/alert_text.h"

#define HEAD(kind) \
    "{\"state\":\"FIRING\",\"reason\":\"threshold\",\"fingerprint\":\"f\",\"alert_id\":\"91ab\",\"seq\":0,\"app\":\"a\",\"rule\":\"Mine\"," \
    "\"entity\":\"ac\\u001bme\",\"severity\":\"warning\",\"summary\":\"acme is up\",\"starts_at\":\"2026-01-31T12:00:00Z\"," \
    "\"at\":\"2026-01-31T12:03:00Z\",\"window\":{\"start\":\"2026-01-31T11:03:00Z\",\"end\":\"2026-01-31T12:03:00Z\"},\"kind\":\"" kind "\","

static struct sq_buf page;

/* The page of a record, then its line. */
static const char *written(const char *record)
{
    struct sq_notify_alert alert;
    struct sq_err err;
    assert_int_equal(sq_notify_alert_parse(&alert, sq_str_view(record), &err), 0);
    sq_buf_clear(&page);
    sq_alert_text_write(&page, &alert);
    sq_alert_text_write_line(&page, &alert);
    sq_notify_alert_close(&alert);
    assert_false(sq_buf_failed(&page));
    return page.data;
}

static void assert_says(const char *text, const char *what)
{
    if (!strstr(text, what)) fail_msg("not said: %s, in:\n%s", what, text);
}

static int teardown(void **state)
{
    (void)state;
    sq_buf_deinit(&page);
    return 0;
}

static void a_rate_says_how_much_of_how_many_against_what_and_how_sure(void **state)
{
    (void)state;
    const char *text = written(HEAD("rate") "\"stats\":{\"count\":58,\"matched\":41,\"rate\":0.7069,\"baseline\":{\"rate\":0.12,\"low\":0.08,"
                               "\"high\":0.16,\"messages\":900},\"strength\":7.9,\"threshold\":3.3,\"p_value\":1e-6,"
                               "\"label_counts\":[{\"label\":\"angry\",\"count\":41}],\"distinct_authors\":8,\"collapsed\":7,\"late\":2,"
                               "\"skipped\":870,\"flapping\":true},\"silenced\":true,\"models\":[{\"name\":\"m\",\"digest\":\"d\"}],"
                               "\"terms\":[{\"term\":\"battery\",\"texts\":3}],\"examples\":[{\"topic\":\"posts\",\"partition\":4,"
                               "\"offset\":\"8812\",\"ts\":\"2026-01-31T12:01:00Z\",\"label\":\"angry\",\"score\":0.97,\"excerpt\":\"it\\ndied\"}]}");
    assert_says(text, "58 messages, 41 of them angry (71%), by 8 or more authors");
    assert_says(text, "12%, and between 8% and 16% in 95 of 100 such windows; learnt from 900 messages");
    assert_says(text, "strength 7.9, fires at 3.3; p 1e-06: by chance as many or more once in 1000000 such windows");
    assert_says(text, "870 not scored (overload: sample), 7 copies; 2 came late");
    assert_says(text, "silenced: nobody is notified");
    assert_says(text, "flapping");
    assert_says(text, "battery (3)");
    assert_says(text, "posts/4/8812  2026-01-31 12:01:00  angry 0.97  it?died");
    assert_says(text, "2026-01-31 12:03:00  91ab  FIRING   Mine ac?me 41/58 (12%) warning silenced");
}

static void a_volume_is_no_share(void **state)
{
    (void)state;
    const char *text = written(HEAD("volume") "\"stats\":{\"count\":300,\"matched\":300,\"rate\":1200,\"baseline\":{\"rate\":52.4},"
                               "\"strength\":5,\"threshold\":4,\"p_value\":1e-12}}");
    assert_says(text, "300 messages (1200 an hour)");
    assert_says(text, "usual       52 an hour");
    assert_says(text, "300/300 (52 an hour) warning");
    assert_null(strchr(text, '%'));
    assert_null(strstr(text, "once in"));
}

static void a_limit_and_a_storm_claim_no_chance(void **state)
{
    (void)state;
    const char *text = written(HEAD("threshold") "\"stats\":{\"count\":40,\"matched\":24,\"rate\":0.6,\"baseline\":{\"rate\":0.5},\"p_value\":1}}");
    assert_says(text, "a fixed limit of 50%");
    assert_null(strstr(text, "how sure"));
    text = written(HEAD("storm") "\"stats\":{\"count\":40,\"matched\":24,\"rate\":0.6,\"baseline\":{\"rate\":0.1},\"p_value\":1}}");
    assert_says(text, "40 entities, 24 of them well above their usual share (60%)");
    assert_null(strstr(text, "how sure"));
}

static void a_record_that_lacks_everything_else_is_told_all_the_same(void **state)
{
    (void)state;
    const char *text = written("{\"state\":\"RESOLVED\",\"reason\":\"calm\",\"fingerprint\":\"f\",\"alert_id\":\"91ab\",\"app\":\"a\",\"rule\":\"r\","
                               "\"entity\":\"e\",\"severity\":\"info\",\"summary\":\"\",\"starts_at\":17,\"stats\":[],\"examples\":{}}");
    assert_says(text, "when        ? to ? (calm)");
    assert_says(text, "0 messages, 0 of them with the label");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_rate_says_how_much_of_how_many_against_what_and_how_sure, teardown),
        cmocka_unit_test_teardown(a_volume_is_no_share, teardown),
        cmocka_unit_test_teardown(a_limit_and_a_storm_claim_no_chance, teardown),
        cmocka_unit_test_teardown(a_record_that_lacks_everything_else_is_told_all_the_same, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
