/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "worker/cli/bench_run.h"
#include "worker/cli/model.h"

enum { RUNS_MAX = 32, THREADS_MAX = 1024, SECONDS_DEFAULT = 5, CPU_BYTES = 128 };

struct report {
    const struct sq_model_info *info;
    size_t texts_count, left_out;
    char cpu[CPU_BYTES];
    struct sq_bench_result results[RUNS_MAX];
    unsigned results_count;
};

/* "1,2,4"; NULL is one run with the default. */
static bool read_threads(const char *text, unsigned threads[RUNS_MAX], unsigned *count)
{
    char number[16];
    *count = 0;
    if (!text) threads[(*count)++] = 0;
    while (text) {
        size_t bytes = strcspn(text, ",");
        if (bytes >= sizeof number || *count == RUNS_MAX) return false;
        memcpy(number, text, bytes);
        number[bytes] = '\0';
        if (!sq_args_number(number, 1, THREADS_MAX, &threads[(*count)++])) return false;
        text = text[bytes] ? text + bytes + 1 : NULL;
    }
    return true;
}

static void read_cpu(char cpu[CPU_BYTES])
{
    char line[512];
    snprintf(cpu, CPU_BYTES, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "model name", strlen("model name")) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        const char *colon = strchr(line, ':');
        if (colon) snprintf(cpu, CPU_BYTES, "%.*s", CPU_BYTES - 1, colon + 1 + strspn(colon + 1, " "));
        break;
    }
    fclose(file);
}

static void write_number(struct sq_buf *out, const char *key, double value)
{
    sq_json_write_key(out, key);
    sq_json_write_real(out, value);
}

static void write_text(struct sq_buf *out, const char *key, const char *value)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(value));
}

static void write_run(struct sq_buf *out, const struct report *report, const struct sq_bench_result *result)
{
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"texts_per_second", result->texts_per_second},
        {"tokens_per_second", result->tokens_per_second},
        {"encode_only_texts_per_second", result->encode_only_texts_per_second},
        {"texts_per_cpu_second", result->texts_per_cpu_second},
        {"threads", result->threads},
        {"speed_up", result->speed_up},
        {"speed_up_of_cpu", result->speed_up_of_cpu},
        {"tokenising_share", result->tokenising_share},
        {"waiting_share", result->waiting_share},
        {"handing_over_share", result->handing_over_share},
        {"rss_bytes", (double)result->rss_bytes},
        {"rss_warm_bytes", (double)result->rss_warm_bytes},
        {"rss_before_bytes", (double)result->rss_before_bytes},
        {"passes", (double)result->passes},
        {"pass_seconds", result->pass_seconds},
        {"texts", (double)report->texts_count},
        {"tokens", (double)result->tokens},
        {"truncated", (double)result->truncated},
        {"failed", (double)result->failed},
        {"left_out", (double)report->left_out},
    };
    sq_buf_append_char(out, '{');
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) write_number(out, numbers[i].key, numbers[i].value);
    write_text(out, "precision", report->info->precision_text);
    write_number(out, "precision_agreement", report->info->precision_agreement);
    write_number(out, "precision_difference", report->info->precision_difference);
    write_text(out, "isa", report->info->isa);
    write_text(out, "cpu", report->cpu);
    write_text(out, "model", report->info->name);
    sq_buf_append_char(out, '}');
}

static void write_json(const struct report *report)
{
    struct sq_buf out;
    sq_buf_init(&out);
    if (report->results_count > 1) {
        sq_buf_append_char(&out, '{');
        sq_json_write_key(&out, "runs");
        sq_buf_append_char(&out, '[');
    }
    for (unsigned i = 0; i < report->results_count; i++) {
        if (i) sq_buf_append_char(&out, ',');
        write_run(&out, report, &report->results[i]);
    }
    if (report->results_count > 1) sq_buf_append_text(&out, "]}");
    sq_buf_append_char(&out, '\n');
    fwrite(out.data, 1, out.bytes, stdout);
    sq_buf_deinit(&out);
}

static void write_table(const struct report *report)
{
    const struct sq_bench_result *first = &report->results[0];
    printf("%s, %s, %s, %s\n", report->info->name, report->info->precision_text, report->info->isa, report->cpu);
    printf("%zu texts, %llu tokens, %llu cut, %llu could not be scored, %zu too long\n\n", report->texts_count,
           (unsigned long long)first->tokens, (unsigned long long)first->truncated, (unsigned long long)first->failed, report->left_out);
    printf("threads   texts/s  tokens/s  encode only  per CPU s  speed-up  by CPU  waiting  tokenising  handing over  rss MB\n");
    for (unsigned i = 0; i < report->results_count; i++) {
        const struct sq_bench_result *result = &report->results[i];
        printf("%7u  %8.1f  %8.0f  %11.1f  %9.1f  %8.2f  %6.2f  %6.2f%%  %9.2f%%  %11.2f%%  %6.1f\n", result->threads, result->texts_per_second,
               result->tokens_per_second, result->encode_only_texts_per_second, result->texts_per_cpu_second, result->speed_up,
               result->speed_up_of_cpu, 100 * result->waiting_share, 100 * result->tokenising_share, 100 * result->handing_over_share,
               (double)result->rss_bytes / 1e6);
    }
}

static int fail(const struct sq_err *err)
{
    fprintf(stderr, "squall bench: %s\n", err->message);
    return sq_err_exit_code(err->code);
}

/* Returns an exit code. */
static int run_all(struct report *report, const struct sq_engine *engine, const char *input, const unsigned *threads, unsigned runs,
                   const struct sq_bench_options *how, bool json)
{
    struct sq_err err = {0};
    struct sq_bench_texts texts;
    if (sq_bench_texts_read(&texts, input, &report->left_out, &err) < 0) return fail(&err);
    report->info = sq_engine_info(engine);
    report->texts_count = texts.count;
    read_cpu(report->cpu);
    report->results_count = runs;
    int status = sq_bench_run(report->results, threads, runs, engine, &texts, how, &err);
    sq_bench_texts_deinit(&texts);
    if (status < 0) return fail(&err);
    if (json) write_json(report);
    else write_table(report);
    return 0;
}

static int run(int argc, char **argv)
{
    static struct report report;
    struct sq_model_options model = {0};
    const char *input = NULL, *threads_text = NULL;
    unsigned threads[RUNS_MAX], runs;
    struct sq_bench_options how = {.seconds = SECONDS_DEFAULT};
    bool json = false;
    const struct sq_option options[] = {
        SQ_MODEL_OPTIONS(&model),
        {.name = "input", .letter = 'i', .text = &input},
        {.name = "threads", .text = &threads_text},
        {.name = "seconds", .number = &how.seconds, .min = 1, .max = 3600},
        {.name = "in-flight", .number = &how.in_flight, .min = 1, .max = SQ_BENCH_IN_FLIGHT_MAX},
        {.name = "json", .flag = &json},
        {0},
    };
    struct sq_operands operands = {.max = 0};
    int exit_code = sq_args_parse(&sq_command_bench, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (!input) return sq_args_mistake(&sq_command_bench, "--input is missing: a file with a text a line");
    if (!read_threads(threads_text, threads, &runs))
        return sq_args_mistake(&sq_command_bench, "--threads '%s' is not a list such as 1,2,4", threads_text);
    struct sq_engine *engine;
    exit_code = sq_model_open(&engine, &sq_command_bench, &model);
    if (exit_code != 0) return exit_code;
    exit_code = run_all(&report, engine, input, threads, runs, &how, json);
    sq_engine_close(engine);
    return exit_code;
}

const struct sq_command sq_command_bench = {
    "bench",
    "how many texts a second this machine scores",
    "usage: squall bench --input FILE [OPTIONS]\n\n"
    "Scores the file's lines in their order, tokenising included: one pass to warm up, then whole passes for at least 5 s; the figures\n"
    "are the median pass's. Nothing is cached, and copies are encoded like any text. Several --threads take turns, a pass each, and\n"
    "speed-ups are medians over the rounds: by the wall clock, and by CPU time, which others on the machine disturb less. Waiting is the\n"
    "share of the threads' time that they slept; handing over is the share of CPU time that was neither tokenising nor encoding.\n\n"
    "  --input FILE        a text a line; - is stdin\n"
    "  --threads N[,N...]  one row each (the cores this process may use)\n"
    "  --seconds N         how long to measure at least (5)\n"
    "  --in-flight N       texts handed over and not yet answered (64 a thread); 1 shows what a text takes alone\n"
    "  --json              one object, or {\"runs\":[...]} for several runs\n" SQ_MODEL_USAGE,
    run,
};
