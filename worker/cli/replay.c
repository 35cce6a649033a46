/* SPDX-License-Identifier: Apache-2.0 */
/* squall replay: history through the code of the worker, as fast as it goes. */
#include <inttypes.h>
#include <stdio.h>

#include "engine/base/clock.h"
#include "worker/cli/args.h"
#include "worker/cli/lines.h"
#include "worker/cli/model.h"
#include "worker/cli/replay_line.h"
#include "worker/cli/replay_scorer.h"
#include "worker/cli/replay_sink.h"

enum { REFUSALS_SHOWN = 10 };

struct replay {
    const char *scores_path, *alerts_path;
    struct sq_option_list models;
    bool json, quiet, scores_in;
    struct sq_config *config;
    struct sq_engine *engine;       /* NULL with --scores-in */
    struct sq_lines lines;
    struct sq_replay_sink sink;
    uint64_t lines_read, refused;
    uint64_t refused_by[SQ_ERR_COUNT]; /* by row of the error table */
};

/* ---- Lines ---- */

static void note_refusal(struct replay *replay, uint64_t line, int code, const char *message)
{
    replay->refused_by[-code]++;
    if (replay->refused++ < REFUSALS_SHOWN)
        fprintf(stderr, "%s:%" PRIu64 ": %s: %s\n", replay->lines.name, line, sq_err_word(code), message);
    else if (replay->refused == REFUSALS_SHOWN + 1)
        fprintf(stderr, "%s:%" PRIu64 ": further lines that can't be used are only counted\n", replay->lines.name, line);
}

static int take_result(const struct sq_replay_result *result, void *ctx, struct sq_err *err)
{
    struct replay *replay = ctx;
    struct sq_err problem = {0};
    const char *const *labels = replay->engine ? sq_engine_info(replay->engine)->labels : NULL;
    int status = result->code;
    const char *message = result->message;
    if (status == 0) {
        status = sq_replay_sink_take(&replay->sink, result->score, result->author, labels, &problem);
        message = problem.message;
    }
    if (status && sq_err_class(status) != SQ_CLASS_POISON) return sq_err_set(err, status, "%s", message);
    if (status) note_refusal(replay, result->line, status, message);
    return 0;
}

static int score_lines(struct replay *replay, struct sq_err *err)
{
    struct sq_replay_scorer scorer;
    int status = sq_replay_scorer_init(&scorer, replay->config, replay->engine, sq_str_view(replay->lines.name), take_result, replay, err);
    struct sq_str line = {0};
    int kind = SQ_LINE_END;
    while (status == 0 && (kind = sq_lines_next(&replay->lines, &line, err)) > SQ_LINE_END)
        status = sq_replay_scorer_take(&scorer, ++replay->lines_read, line, kind == SQ_LINE_TOO_LONG, err);
    if (status == 0) status = kind < 0 ? kind : sq_replay_scorer_drain(&scorer, err);
    sq_replay_scorer_deinit(&scorer);
    return status;
}

static int read_scores(struct replay *replay, struct sq_err *err)
{
    struct sq_score score = {.source = {.topic = sq_str_view(replay->lines.name)}};
    struct sq_str line = {0};
    int status = 0, kind = SQ_LINE_END;
    while (status == 0 && (kind = sq_lines_next(&replay->lines, &line, err)) > SQ_LINE_END) {
        json_t *root = NULL;
        struct sq_err problem;
        struct sq_replay_result result = {.line = ++replay->lines_read, .score = &score, .message = problem.message};
        score.source.offset = (int64_t)result.line - 1;
        if (kind == SQ_LINE_TOO_LONG) result.code = sq_err_set(&problem, SQ_E_TOO_LARGE, "the line is over input.max_bytes");
        else result.code = sq_replay_line_read(line, &root, &score, &problem);
        status = take_result(&result, replay, err);
        if (result.code == 0) json_decref(root);
    }
    return status ? status : kind < 0 ? kind : 0;
}

/* ---- The summary, on stderr ---- */

static void tell_refusals(const struct replay *replay)
{
    if (replay->refused == 0) return;
    fprintf(stderr, "refused %" PRIu64 ":", replay->refused);
    for (int row = 0; row < SQ_ERR_COUNT; row++)
        if (replay->refused_by[row]) fprintf(stderr, " %s %" PRIu64, sq_err_word(-row), replay->refused_by[row]);
    fputc('\n', stderr);
}

static void tell_summary(const struct replay *replay, double seconds)
{
    struct sq_detector_counts counts = sq_replay_sink_counts(&replay->sink);
    const struct sq_replay_sink *sink = &replay->sink;
    double days = sink->last_ms > sink->first_ms ? (double)(sink->last_ms - sink->first_ms) / 86400000 : 0;
    uint64_t firing = counts.transitions[SQ_ALERT_FIRING];
    fprintf(stderr, "%" PRIu64 " lines, %" PRIu64 " records of %u entities over %.1f days in %.2f s (%.0f a second)\n", replay->lines_read,
            counts.taken, counts.entities, days, seconds, seconds > 0 ? (double)counts.taken / seconds : 0);
    tell_refusals(replay);
    fprintf(stderr, "collapsed %" PRIu64 " copies of texts, %" PRIu64 " of prolific authors; late %" PRIu64 " counted, %" PRIu64 " dropped\n",
            counts.collapsed_text, counts.collapsed_author, counts.late_included, counts.late_dropped);
    if (counts.late_dropped * 100 > counts.taken) fprintf(stderr, "many records are late: sort the input by ts to replay it as it happened\n");
    fprintf(stderr, "%" PRIu64 " firing, %" PRIu64 " updated, %" PRIu64 " resolved, %u still open", firing, counts.transitions[SQ_ALERT_UPDATED],
            counts.transitions[SQ_ALERT_RESOLVED], counts.firing_warning + counts.firing_critical);
    if (days > 0 && counts.entities) fprintf(stderr, "; %.2f firing an entity and week", (double)firing * 7 / days / counts.entities);
    fputc('\n', stderr);
}

/* ---- The command ---- */

static int replay_input(struct replay *replay, const char *input, struct sq_err *err)
{
    replay->config->input.format.encoding = SQ_EVENT_JSON; /* whatever the topics hold */
    int status = replay->scores_in ? 0 : sq_model_open_configured(&replay->engine, replay->config, &replay->models, err);
    if (status) return status;
    status = sq_lines_open(&replay->lines, input, replay->config->input.format.bytes_max, err);
    if (status) return status;
    const char *model_name = replay->engine ? sq_engine_info(replay->engine)->name : "";
    status = sq_replay_sink_open(&replay->sink, replay->config, model_name, replay->scores_path, replay->alerts_path, replay->json, err);
    uint64_t start_ns = sq_clock_monotonic_ns();
    if (status == 0) status = replay->scores_in ? read_scores(replay, err) : score_lines(replay, err);
    if (status == 0) status = sq_replay_sink_finish(&replay->sink, err);
    if (status == 0 && !replay->quiet) tell_summary(replay, (double)(sq_clock_monotonic_ns() - start_ns) / 1e9);
    int closed = sq_replay_sink_close(&replay->sink, status ? NULL : err);
    sq_lines_close(&replay->lines);
    return status ? status : closed;
}

static int run(int argc, char **argv)
{
    struct replay replay = {0};
    const char *config_path = NULL;
    struct sq_option_list sets = {0};
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &config_path}, {.name = "set", .letter = 's', .list = &sets},
        {.name = "model", .list = &replay.models},               {.name = "scores-out", .text = &replay.scores_path},
        {.name = "alerts-out", .text = &replay.alerts_path},     {.name = "scores-in", .flag = &replay.scores_in},
        {.name = "json", .flag = &replay.json},                  {.name = "quiet", .letter = 'q', .flag = &replay.quiet},
        {0},
    };
    struct sq_operands operands = {.max = 1};
    int exit_code = sq_args_parse(&sq_command_replay, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (operands.count == 0) return sq_args_mistake(&sq_command_replay, "an INPUT is missing; - is stdin");
    if (replay.scores_in && replay.scores_path) return sq_args_mistake(&sq_command_replay, "--scores-out with --scores-in would copy the input");

    struct sq_err err;
    const struct sq_config_sources sources = {.path = config_path, .sets = sets.items, .sets_count = sets.count, .offline = true};
    int status = sq_config_load(&replay.config, &sources, &err);
    if (status == 0) status = replay_input(&replay, operands.items[0], &err);
    if (replay.engine) sq_engine_close(replay.engine);
    sq_config_close(replay.config);
    if (status == 0) return 0;
    fprintf(stderr, "squall replay: %s\n", err.message);
    return sq_err_exit_code(status);
}

const struct sq_command sq_command_replay = {
    "replay", "history through the same code: what would have been an alert",
    "usage: squall replay [-c FILE] [--set path=value]... [--scores-out F] [--alerts-out F] INPUT|-\n"
    "       squall replay [-c FILE] [--set path=value]... --scores-in [--alerts-out F] INPUT|-\n"
    "\n"
    "INPUT is JSON lines with the configuration's input.fields (text, entity, ts, author, id), sorted by time. Event time drives\n"
    "everything; neither brokers nor topics are needed. Alerts go to stdout, a summary to stderr. Lines that can't be used are told of,\n"
    "counted and passed over, as a worker would send them to the dead letters.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone\n"
    "  -s, --set PATH=VALUE   sets one key, as in rules.NegativeSpike.budget_per_entity_week=0.2; repeatable\n"
    "      --model DIR        a Hugging Face folder instead of model.path; repeated: an ensemble\n"
    "      --scores-out F     each record's score as a line: entity, ts, label, score, scores, author, text_hash\n"
    "      --scores-in        INPUT holds such lines: no model is run\n"
    "      --alerts-out F     each transition as a line of JSON, times in milliseconds\n"
    "      --json             the same on stdout, instead of lines for people\n"
    "  -q, --quiet            no summary\n"
    "\n"
    "Exit codes: 0 done; 1 the input can't be read or an output not written; 78 wrong configuration or model.\n",
    run};
