/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "worker/io/kafka_topics.h"

static int check(const char *topic, struct sq_err *err)
{
    struct sq_config *config;
    assert_int_equal(sq_config_default(&config, err), 0);
    snprintf(config->app, sizeof config->app, "watch");
    snprintf(config->input.topics[0], sizeof config->input.topics[0], "%s", topic);
    config->input.topics_count = 1;
    int status = sq_kafka_topics_check_input(config, err);
    sq_config_close(config);
    return status;
}

static void own_topics_are_no_input(void **state)
{
    (void)state;
    struct sq_err err;
    static const char *const refused[] = {"watch.scores", "watch.dlq", "watch.alerts", "^.*", "^watch", "^w.+[.]scores$", "^(posts"};
    static const char *const taken[] = {"posts", "watch", "watch.posts", "scores", "^posts.*", "^watch-[0-9]+$", "other.scores"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(check(refused[i], &err), SQ_E_CONFIG);
        assert_non_null(strstr(err.message, refused[i]));
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) assert_int_equal(check(taken[i], &err), 0);
}

static void names_begin_with_the_app(void **state)
{
    (void)state;
    struct sq_err err;
    struct sq_config *config;
    char name[SQ_TOPIC_NAME_BYTES];
    assert_int_equal(sq_config_default(&config, &err), 0);
    snprintf(config->app, sizeof config->app, "watch");
    sq_kafka_topic_name(name, sizeof name, config, SQ_TOPIC_DLQ);
    assert_string_equal(name, "watch.dlq");
    sq_config_close(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_topics_are_no_input),
        cmocka_unit_test(names_begin_with_the_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
