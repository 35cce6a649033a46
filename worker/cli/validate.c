/* SPDX-License-Identifier: Apache-2.0 */
/* squall validate: everything that `run` needs, tried in the order in which it would fail, with the same code. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "worker/cli/args.h"
#include "worker/cli/model.h"
#include "worker/cli/validate_sample.h"
#include "worker/pipeline/shadow.h"

enum { BROKER_TIMEOUT_MS = 10000 };

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };
static const char *const verdict_words[] = {"ok", "warn", "FAIL"};

struct report {
    bool json;
    const char *config_path; /* NULL: none was given */
    struct sq_buf checks; /* of the JSON form */
    int exit_code;        /* of the first FAIL */
};

/* Tells one line. `exit_code` counts only with FAIL. */
static void tell(struct report *report, enum verdict verdict, const char *check, int exit_code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static void tell(struct report *report, enum verdict verdict, const char *check, int exit_code, const char *format, ...)
{
    char detail[SQ_ERR_MESSAGE_BYTES + 64];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (verdict == VERDICT_FAIL && report->exit_code == 0) report->exit_code = exit_code;
    if (!report->json) {
        printf(" %-4s  %-8s ", verdict_words[verdict], check);
        for (const char *c = detail; *c; c++) printf(*c == '\n' ? "\n                " : "%c", *c);
        putchar('\n');
        fflush(stdout);
        return;
    }
    sq_buf_append_text(&report->checks, report->checks.bytes ? ",{" : "{");
    sq_json_write_key(&report->checks, "check");
    sq_json_write_str(&report->checks, sq_str_view(check));
    sq_json_write_key(&report->checks, "verdict");
    sq_json_write_str(&report->checks, sq_str_view(verdict == VERDICT_FAIL ? "fail" : verdict_words[verdict]));
    sq_json_write_key(&report->checks, "detail");
    sq_json_write_str(&report->checks, sq_str_view(detail));
    sq_buf_append_char(&report->checks, '}');
}

/* ---- Model ---- */

static const char *const probes[] = {
    "The quarterly results were worse than anyone had feared.",
    "Thank you, this is the best service I have ever had!",
    "The meeting starts at ten.",
    "ok",
};
enum { PROBES_COUNT = sizeof probes / sizeof *probes };

/* The largest difference between a text scored alone and in a batch; above 1 when probabilities are none. */
static double self_test(struct sq_session *session, const struct sq_model_info *info)
{
    struct sq_prediction *together = calloc(PROBES_COUNT + 1, sizeof *together), *alone = together + PROBES_COUNT;
    double worst = together ? 0 : 2;
    struct sq_str texts[PROBES_COUNT];
    for (int i = 0; i < PROBES_COUNT; i++) texts[i] = sq_str_view(probes[i]);
    if (together) sq_session_score(session, texts, PROBES_COUNT, together);
    for (int i = 0; i < PROBES_COUNT && worst <= 1; i++) {
        double sum = 0;
        sq_session_score(session, &texts[i], 1, alone);
        if (together[i].code || alone->code) worst = 2;
        for (unsigned label = 0; label < info->labels_count && worst <= 1; label++) {
            worst = fmax(worst, fabs((double)together[i].probabilities[label] - (double)alone->probabilities[label]));
            sum += (double)alone->probabilities[label];
        }
        if (info->function == SQ_FUNCTION_SOFTMAX && !(fabs(sum - 1) < 1e-3)) worst = 2;
    }
    free(together);
    return worst;
}

static void check_labels(struct report *report, const struct sq_config *config, const struct sq_model_info *info)
{
    for (unsigned i = 0; i < config->rules_count; i++) {
        bool found = false;
        for (unsigned label = 0; label < info->labels_count; label++) found = found || strcmp(info->labels[label], config->rules[i].label) == 0;
        if (found) continue;
        char labels[512] = "";
        size_t used = 0;
        for (unsigned label = 0; label < info->labels_count && used < sizeof labels; label++)
            used += (size_t)snprintf(labels + used, sizeof labels - used, "%s%s", label ? ", " : "", info->labels[label]);
        tell(report, VERDICT_FAIL, "rules", 78, "rules.%s.label: the model has no label '%s'; it has %s", config->rules[i].name, config->rules[i].label,
             labels);
    }
}

static void check_session(struct report *report, const char *check, const struct sq_engine *engine)
{
    const struct sq_model_info *info = sq_engine_info(engine);
    struct sq_session *session;
    struct sq_err err;
    if (sq_session_open(&session, engine, &err) != 0) {
        tell(report, VERDICT_FAIL, check, sq_err_exit_code(err.code), "%s", err.message);
        return;
    }
    double worst = self_test(session, info);
    sq_session_close(session);
    if (worst > 1) tell(report, VERDICT_FAIL, check, 1, "%s: the self-test got no probabilities", info->name);
    else
        tell(report, worst <= 1e-4 ? VERDICT_OK : VERDICT_FAIL, check, 1, "%s: %s %ux%u, %u labels (self-test max|dp| %.0e)", info->name,
             info->architecture, info->layers, info->hidden, info->labels_count, worst);
}

/* What `run` compares to the model in use on a sample of the texts. */
static void check_shadow(struct report *report, const struct sq_config *config, const struct sq_engine *in_use)
{
    struct sq_engine *engine;
    int label_of[SQ_LABELS_MAX];
    struct sq_err err;
    int status = sq_model_open_shadow(&engine, config, &err);
    if (status == 0 && !engine) return;
    const struct sq_model_info *info = status == 0 ? sq_engine_info(engine) : NULL;
    if (status == 0) status = sq_shadow_match_labels(info, sq_engine_info(in_use), label_of, &err);
    if (status < 0) tell(report, VERDICT_FAIL, "shadow", sq_err_exit_code(status), "%s", err.message);
    else check_session(report, "shadow", engine);
    for (unsigned i = 0; status > 0 && i < info->labels_count; i++)
        if (label_of[i] == SQ_SHADOW_NO_LABEL)
            tell(report, VERDICT_WARN, "shadow", 0, "%s: its label '%s' is none of the model's, and counts as differing", info->name, info->labels[i]);
    if (engine) sq_engine_close(engine);
}

static void check_embedder(struct report *report, const struct sq_config *config)
{
    struct sq_engine *engine;
    struct sq_err err;
    int status = sq_model_open_embedder(&engine, config, &err);
    if (status < 0) tell(report, VERDICT_FAIL, "embed", sq_err_exit_code(status), "%s", err.message);
    if (status || !engine) return;
    const struct sq_model_info *info = sq_engine_info(engine);
    tell(report, VERDICT_OK, "embed", 0, "%s: %u dimensions", info->name, info->outputs_count);
    sq_engine_close(engine);
}

static void check_model(struct report *report, const struct sq_config *config)
{
    struct sq_err err;
    struct sq_engine *engine = NULL;
    int status = sq_model_open_configured(&engine, config, NULL, &err);
    if (status != 0) {
        tell(report, VERDICT_FAIL, "model", sq_err_exit_code(status), "%s", err.message);
        return;
    }
    check_session(report, "model", engine);
    check_labels(report, config, sq_engine_info(engine));
    check_shadow(report, config, engine);
    sq_engine_close(engine);
}

/* ---- Topics ---- */

static void check_inputs(struct report *report, const struct sq_config *config, const struct sq_kafka_probe *probe)
{
    for (unsigned i = 0; i < config->input.topics_count; i++) {
        const char *entry = config->input.topics[i];
        unsigned count = sq_kafka_probe_match(probe, entry, NULL, NULL);
        if (count == 0 && entry[0] == '^') tell(report, VERDICT_WARN, "input", 0, "no topic matches %s yet", entry);
        else if (count == 0) tell(report, VERDICT_FAIL, "input", 78, "there is no topic %s: create it, or correct input.topics", entry);
        else if (entry[0] == '^') tell(report, VERDICT_OK, "input", 0, "%s matches %u topics", entry, count);
        else tell(report, VERDICT_OK, "input", 0, "%s has %d partitions", entry, sq_kafka_probe_partitions(probe, entry));
    }
}

static void check_outputs(struct report *report, const struct sq_config *config, const struct sq_kafka_probe *probe)
{
    char missing[512] = "", name[SQ_CONFIG_NAME_BYTES + 16];
    size_t used = 0;
    int32_t wanted = (int32_t)config->output.partitions;
    for (unsigned topic = 0; topic < SQ_TOPIC_COUNT; topic++) {
        if (!sq_kafka_probe_output_is_used(config, topic)) continue;
        sq_kafka_probe_output_name(config, topic, name, sizeof name);
        int32_t partitions = sq_kafka_probe_partitions(probe, name);
        if (partitions == 0 && used < sizeof missing) used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", name);
        if (partitions > 0 && topic != SQ_TOPIC_DLQ && partitions != wanted)
            tell(report, VERDICT_FAIL, "topics", 78, "%s has %d partitions, output.partitions says %d: set it to %d, or take another app", name, partitions,
                 wanted, partitions);
    }
    if (used && config->output.create_topics) tell(report, VERDICT_WARN, "topics", 0, "missing: %s: run creates them", missing);
    else if (used) tell(report, VERDICT_FAIL, "topics", 78, "missing: %s: create them, or set output.create_topics", missing);
    else tell(report, VERDICT_OK, "topics", 0, "all are there");
}

/* ---- Sample ---- */

/* What decodes, and yet is hardly what was meant: a field that no record has. */
static void check_fields(struct report *report, const struct sq_event_format *format, const struct sq_sample *sample)
{
    bool has_fields = format->encoding != SQ_EVENT_TEXT; /* a bare text is all there is */
    if (sample->with_entity == 0)
        tell(report, VERDICT_WARN, "fields", 0, "no record has %s, nor a key: all would be about '%s' (input.fields.entity)", format->entity.name, format->default_entity);
    else if (has_fields && format->entity.kind != SQ_FIELD_KEY && format->entity.name[0] && sample->with_entity_field == 0)
        tell(report, VERDICT_WARN, "fields", 0, "no record has %s: the keys of the records count instead (input.fields.entity)", format->entity.name);
    if (has_fields && sample->with_ts == 0 && format->ts.name[0])
        tell(report, VERDICT_WARN, "fields", 0, "no record has %s: the times of the records count instead (input.fields.ts)", format->ts.name);
    if (has_fields && sample->with_author == 0 && format->author.name[0])
        tell(report, VERDICT_WARN, "fields", 0, "no record has %s: rules can't ask for several authors (input.fields.author)", format->author.name);
}

static void check_sample(struct report *report, const struct sq_config *config, struct sq_kafka_probe *probe)
{
    struct sq_sample sample;
    struct sq_err err;
    int status = sq_sample_take(&sample, &config->input.format, probe, &err);
    if (status != 0) tell(report, VERDICT_FAIL, "sample", sq_err_exit_code(status), "%s", err.message);
    else if (sample.taken == 0) tell(report, VERDICT_WARN, "sample", 0, "the input holds no records yet");
    else if (sample.bad) tell(report, VERDICT_FAIL, "sample", 1, "%u of %u records can't be decoded, the first %s", sample.bad, sample.taken, sample.first);
    else tell(report, VERDICT_OK, "sample", 0, "%u records decoded", sample.taken);
    if (status == 0 && sample.taken > sample.bad) check_fields(report, &config->input.format, &sample);
}

static void check_cluster(struct report *report, const struct sq_config *config)
{
    struct sq_kafka_probe *probe;
    struct sq_err err;
    if (sq_kafka_probe_open(&probe, config, BROKER_TIMEOUT_MS, &err) != 0) {
        tell(report, VERDICT_FAIL, "broker", sq_err_exit_code(err.code), "%s", err.message);
        return;
    }
    tell(report, VERDICT_OK, "broker", 0, "%u, answered in %.0f ms", sq_kafka_probe_brokers(probe), sq_kafka_probe_answer_ms(probe));
    if (config->roles & SQ_ROLE_SCORE) check_inputs(report, config, probe);
    check_outputs(report, config, probe);
    if (config->roles & SQ_ROLE_SCORE) check_sample(report, config, probe);
    sq_kafka_probe_close(probe);
}

/* ---- The command ---- */

static int finish(struct report *report)
{
    if (report->json)
        printf("{\"ok\":%s,\"checks\":[%s]}\n", report->exit_code ? "false" : "true", report->checks.bytes ? report->checks.data : "");
    else if (report->exit_code == 0)
        fprintf(stderr, "next: squall run%s%s\n", report->config_path ? " -c " : "", report->config_path ? report->config_path : "");
    sq_buf_deinit(&report->checks);
    return report->exit_code;
}

static int run(int argc, char **argv)
{
    const char *path = NULL;
    bool offline = false;
    struct report report = {0};
    struct sq_option_list sets = {0};
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &path}, {.name = "set", .letter = 's', .list = &sets},
        {.name = "offline", .flag = &offline},            {.name = "json", .flag = &report.json},
        {0},
    };
    struct sq_operands operands = {.max = 0};
    int exit_code = sq_args_parse(&sq_command_validate, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;

    report.config_path = path;
    struct sq_config *config;
    struct sq_err err;
    const struct sq_config_sources sources = {.path = path, .sets = sets.items, .sets_count = sets.count};
    int status = sq_config_load(&config, &sources, &err);
    if (status != 0) {
        tell(&report, VERDICT_FAIL, "config", sq_err_exit_code(status), "%s", err.message);
        return finish(&report);
    }
    tell(&report, VERDICT_OK, "config", 0, "%u rule%s", config->rules_count, config->rules_count == 1 ? "" : "s");
    if (config->roles & SQ_ROLE_SCORE) check_model(&report, config);
    check_embedder(&report, config);
    if (!offline && config->roles) check_cluster(&report, config);
    sq_config_close(config);
    return finish(&report);
}

const struct sq_command sq_command_validate = {
    "validate", "try a configuration: models, broker, topics, live records",
    "usage: squall validate [-c FILE] [--set path=value]... [--offline] [--json]\n"
    "\n"
    "Tries what `squall run` would need and prints a line for each check: ok, warn or FAIL. Changes nothing: joins no group, creates no topic.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG\n"
    "  -s, --set PATH=VALUE   sets one key; repeatable\n"
    "      --offline          only the configuration and the models\n"
    "      --json             one JSON object: {\"ok\",\"checks\":[{\"check\",\"verdict\",\"detail\"}]}\n"
    "\n"
    "Exit codes: 0 nothing failed, 1 live records or the model's self-test disagree, 69 no broker, 78 configuration, model or topics.\n",
    run};
