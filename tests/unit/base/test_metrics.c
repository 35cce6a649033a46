/* SPDX-License-Identifier: Apache-2.0 */
/* The exposition is read back by a strict parser of the text format 0.0.4: every sample stands under its own HELP and TYPE, no family
 * and no series comes twice, and histograms add up. `base_metrics --write` renews ops/docs/METRICS.md from the table. */
#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/json.h"
#include "engine/base/metrics.h"

enum { SAMPLES_MAX = 2048 };

/* One scrape, cut into lines. */
struct scrape {
    struct sq_buf text;
    char *series[SAMPLES_MAX]; /* "name{labels}" */
    double values[SAMPLES_MAX];
    size_t count;
};

static bool starts_with(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

/* The end of a metric or label name, which must not be empty. */
static char *parse_name(char *at)
{
    assert_true(isalpha((unsigned char)*at) || *at == '_');
    while (isalnum((unsigned char)*at) || *at == '_') at++;
    return at;
}

/* The end of `{key="value",...}`. */
static char *parse_labels(char *at)
{
    do {
        at = parse_name(at + 1);
        assert_memory_equal(at, "=\"", 2);
        for (at += 2; *at != '"'; at++) {
            assert_int_not_equal(*at, '\0');
            if (*at == '\\') at++;
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* A sample belongs to the family whose TYPE came last; a histogram's carry a suffix. */
static void check_family(const char *series, const char *family, const char *type)
{
    assert_true(starts_with(series, family));
    const char *suffix = series + strlen(family);
    if (strcmp(type, "histogram") == 0)
        assert_true(starts_with(suffix, "_bucket{") || starts_with(suffix, "_sum") || starts_with(suffix, "_count"));
    else
        assert_true(*suffix == '{' || *suffix == '\0');
}

static void parse_sample(struct scrape *scrape, char *line, const char *family, const char *type)
{
    char *at = parse_name(line);
    if (*at == '{') at = parse_labels(at);
    assert_int_equal(*at, ' ');
    *at = '\0';
    char *end;
    double value = strtod(at + 1, &end);
    assert_true(end > at + 1 && *end == '\0');
    check_family(line, family, type);
    for (size_t i = 0; i < scrape->count; i++) assert_string_not_equal(scrape->series[i], line);
    assert_true(scrape->count < SAMPLES_MAX);
    scrape->series[scrape->count] = line;
    scrape->values[scrape->count++] = value;
}

static void take_scrape(struct scrape *scrape)
{
    memset(scrape, 0, sizeof *scrape);
    sq_metrics_write(&scrape->text);
    assert_false(sq_buf_failed(&scrape->text));
    assert_int_equal(scrape->text.data[scrape->text.bytes - 1], '\n');

    char helped[128] = "", family[128] = "", type[16] = "", *rest;
    for (char *line = strtok_r(scrape->text.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (starts_with(line, "# HELP ")) {
            assert_int_equal(sscanf(line, "# HELP %127s %*[^\n]", helped), 1);
            assert_non_null(strchr(line + 7, ' '));
        } else if (starts_with(line, "# TYPE ")) {
            assert_int_equal(sscanf(line, "# TYPE %127s %15s", family, type), 2);
            assert_string_equal(family, helped);
            bool total = strlen(family) > 6 && strcmp(family + strlen(family) - 6, "_total") == 0;
            assert_int_equal(total, strcmp(type, "counter") == 0);
        } else {
            parse_sample(scrape, line, family, type);
        }
    }
}

static double value_of(const struct scrape *scrape, const char *series)
{
    for (size_t i = 0; i < scrape->count; i++)
        if (strcmp(scrape->series[i], series) == 0) return scrape->values[i];
    fail_msg("no series %s", series);
    return 0;
}

static void every_series_is_there_from_the_start(void **state)
{
    (void)state;
    struct scrape scrape;
    take_scrape(&scrape);
    assert_true(value_of(&scrape, "squall_records_total{outcome=\"scored\"}") == 0);
    assert_true(value_of(&scrape, "squall_dead_letters_total{reason=\"produce\"}") == 0);
    assert_true(value_of(&scrape, "squall_records_in_flight") == 0);
    assert_true(value_of(&scrape, "squall_end_to_end_latency_seconds_bucket{le=\"+Inf\"}") == 0);
    assert_true(value_of(&scrape, "squall_transaction_duration_seconds_count{stage=\"alert\"}") == 0);
    assert_true(value_of(&scrape, "process_open_fds") >= 3);
    assert_true(value_of(&scrape, "process_resident_memory_bytes") > 1e5);
    assert_true(value_of(&scrape, "process_cpu_seconds_total") < 1000);
    double start = value_of(&scrape, "process_start_time_seconds");
    assert_true(start > 1.6e9 && start < 1e10);
    sq_buf_deinit(&scrape.text);
}

static void counters_and_gauges_keep_what_they_are_given(void **state)
{
    (void)state;
    sq_metric_add(SQ_M_DEAD_LETTERS, 3, 2);
    sq_metric_add(SQ_M_DEAD_LETTERS, 3, 5);
    sq_metric_set(SQ_M_RECORDS_IN_FLIGHT, 0, 10);
    sq_metric_move(SQ_M_RECORDS_IN_FLIGHT, 0, -13);
    assert_int_equal(sq_metric_value(SQ_M_DEAD_LETTERS, 3), 7);

    struct scrape scrape;
    take_scrape(&scrape);
    assert_true(value_of(&scrape, "squall_dead_letters_total{reason=\"invalid_utf8\"}") == 7);
    assert_true(value_of(&scrape, "squall_records_in_flight") == -3);
    sq_buf_deinit(&scrape.text);
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    static const double values[] = {0.0005, 0.0006, 0.02, 3, 99, -1, NAN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) sq_metric_observe(SQ_M_STEP_SECONDS, 2, values[i]);
    struct scrape scrape;
    take_scrape(&scrape);
    static const struct {
        const char *bound;
        double count;
    } expected[] = {{"0.0005", 3}, {"0.001", 4}, {"0.01", 4}, {"0.025", 5}, {"2.5", 5}, {"5", 6}, {"10", 6}, {"+Inf", 7}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char series[128];
        snprintf(series, sizeof series, "squall_stage_duration_seconds_bucket{stage=\"encode\",le=\"%s\"}", expected[i].bound);
        assert_true(value_of(&scrape, series) == expected[i].count);
    }
    assert_true(value_of(&scrape, "squall_stage_duration_seconds_count{stage=\"encode\"}") == 7);
    assert_true(fabs(value_of(&scrape, "squall_stage_duration_seconds_sum{stage=\"encode\"}") - 102.0211) < 1e-9);
    assert_true(value_of(&scrape, "squall_stage_duration_seconds_count{stage=\"decode\"}") == 0);
    sq_buf_deinit(&scrape.text);
}

static void counting_histograms_have_powers_of_two(void **state)
{
    (void)state;
    sq_metric_observe(SQ_M_BATCH_TOKENS, 0, 256);
    sq_metric_observe(SQ_M_BATCH_TOKENS, 0, 257);
    struct scrape scrape;
    take_scrape(&scrape);
    assert_true(value_of(&scrape, "squall_inference_batch_tokens_bucket{le=\"256\"}") == 1);
    assert_true(value_of(&scrape, "squall_inference_batch_tokens_bucket{le=\"512\"}") == 2);
    assert_true(value_of(&scrape, "squall_inference_batch_tokens_sum") == 513);
    sq_buf_deinit(&scrape.text);
}

static void quantiles_lie_within_their_bucket(void **state)
{
    (void)state;
    assert_true(isnan(sq_metric_quantile(SQ_M_COMMIT_SECONDS, 1, 0.5)));
    for (int i = 0; i < 90; i++) sq_metric_observe(SQ_M_COMMIT_SECONDS, 1, 0.002);
    for (int i = 0; i < 10; i++) sq_metric_observe(SQ_M_COMMIT_SECONDS, 1, 0.2);
    double median = sq_metric_quantile(SQ_M_COMMIT_SECONDS, 1, 0.5), high = sq_metric_quantile(SQ_M_COMMIT_SECONDS, 1, 0.95);
    assert_true(fabs(median - (0.001 + 0.0015 * 50 / 90)) < 1e-12);
    assert_true(fabs(high - 0.175) < 1e-12);
    for (int i = 0; i < 1000; i++) sq_metric_observe(SQ_M_COMMIT_SECONDS, 1, 60);
    assert_true(sq_metric_quantile(SQ_M_COMMIT_SECONDS, 1, 0.99) == 10);
}

static void *count_up(void *ctx)
{
    for (int i = 0; i < 20000; i++) {
        sq_metric_add(SQ_M_INFERENCE_TOKENS, 0, 3);
        sq_metric_observe(SQ_M_BATCH_TEXTS, 0, 1);
    }
    return ctx;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(sq_metric_value(SQ_M_INFERENCE_TOKENS, 0), 240000);
    struct scrape scrape;
    take_scrape(&scrape);
    assert_true(value_of(&scrape, "squall_inference_batch_texts_count") == 80000);
    sq_buf_deinit(&scrape.text);
}

static void collect_lag(struct sq_buf *out, void *ctx)
{
    (void)ctx;
    struct sq_str hostile[] = {SQ_STR("po\"s\\t\ns"), SQ_STR("4")};
    sq_metrics_write_family(out, SQ_MD_CONSUMER_LAG);
    sq_metrics_write_sample(out, SQ_MD_CONSUMER_LAG, hostile, 12);
}

static void collectors_come_and_go(void **state)
{
    (void)state;
    int token = 0;
    assert_int_equal(sq_metrics_collector_add(collect_lag, &token), 0);
    struct scrape scrape;
    take_scrape(&scrape);
    assert_true(value_of(&scrape, "squall_kafka_consumer_lag_records{topic=\"po\\\"s\\\\t\\ns\",partition=\"4\"}") == 12);
    sq_buf_deinit(&scrape.text);

    sq_metrics_collector_remove(&token);
    take_scrape(&scrape);
    for (size_t i = 0; i < scrape.count; i++) assert_null(strstr(scrape.series[i], "consumer_lag"));
    sq_buf_deinit(&scrape.text);
}

static void collectors_are_bounded(void **state)
{
    (void)state;
    int token = 0, added = 0;
    while (sq_metrics_collector_add(collect_lag, &token) == 0) added++;
    sq_metrics_collector_remove(&token);
    assert_int_equal(added, 8);
}

static void write_docs(struct sq_buf *out)
{
    sq_buf_append_text(out, "# Metrics\n\n`GET /metrics` gives these families in Prometheus' text format 0.0.4. Units are base units; no label "
                            "holds user data. This page comes\nfrom the table in `engine/base/metrics.h`.\n\n"
                            "| family | type | labels | meaning |\n| --- | --- | --- | --- |\n");
    const struct sq_metric_row *row;
    for (unsigned i = 0; (row = sq_metrics_row(i)); i++) {
        sq_buf_printf(out, "| `%s` | %s | ", row->name, row->type);
        for (unsigned k = 0; row->label_keys[k]; k++) sq_buf_printf(out, "%s`%s`", k ? ", " : "", row->label_keys[k]);
        for (unsigned v = 0; row->label_values && row->label_values[v]; v++)
            sq_buf_printf(out, "%s%s", v ? ", " : ": ", row->label_values[v]);
        sq_buf_printf(out, " | %s |\n", row->help);
    }
    sq_buf_append_text(out, "\nHistograms of seconds have the bounds 0.0005 to 10; those of tokens and texts the powers of two to 4096.\n\n"
                            "The process itself: `process_cpu_seconds_total`, `process_resident_memory_bytes`, "
                            "`process_virtual_memory_bytes`,\n`process_start_time_seconds`, `process_open_fds`, `process_max_fds`.\n");
}

static const char docs_path[] = SQUALL_SOURCE_DIR "/ops/docs/METRICS.md";

static void the_page_of_metrics_is_up_to_date(void **state)
{
    (void)state;
    struct sq_buf expected = {0}, found = {0};
    struct sq_err err;
    write_docs(&expected);
    assert_int_equal(sq_json_read_file(&found, docs_path, 1 << 20, SQ_E_IO, &err), 0);
    if (!sq_str_equal(sq_buf_view(&expected), sq_buf_view(&found))) fail_msg("%s is stale: run base_metrics --write", docs_path);
    sq_buf_deinit(&expected);
    sq_buf_deinit(&found);
}

static int renew_docs(void)
{
    struct sq_buf text = {0};
    write_docs(&text);
    FILE *file = fopen(docs_path, "w");
    bool written = file && fwrite(text.data, 1, text.bytes, file) == text.bytes;
    if (file && fclose(file) != 0) written = false;
    sq_buf_deinit(&text);
    return !written;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) return renew_docs();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_is_there_from_the_start),
        cmocka_unit_test(counters_and_gauges_keep_what_they_are_given),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(counting_histograms_have_powers_of_two),
        cmocka_unit_test(quantiles_lie_within_their_bucket),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(collectors_come_and_go),
        cmocka_unit_test(collectors_are_bounded),
        cmocka_unit_test(the_page_of_metrics_is_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
