/* SPDX-License-Identifier: Apache-2.0 */
/* squall replay: history through the code of the worker, as fast as it goes. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "worker/cli/args.h"
#include "worker/cli/lines.h"
#include "worker/cli/model.h"
#include "worker/cli/replay_diff.h"
#include "worker/cli/replay_point.h"
#include "worker/cli/replay_reader.h"
#include "worker/cli/replay_report.h"
#include "worker/cli/replay_sweep.h"
#include "worker/cli/replay_topic.h"
#include "worker/io/config_duration.h"

enum { REFUSALS_SHOWN = 10 };

struct replay {
    const char *config_path, *scores_path, *alerts_path;
    const char *sweep_flag, *diff_flag, *truth_path, *settle_flag, *report_path;
    const char *from_flag, *to_flag;
    const char *input;              /* as messages name it: a file, or the topic */
    bool is_topic;
    bool json, quiet, scores_in, as_published;
    struct sq_option_list sets, models;
    int64_t settle_ms;
    struct sq_config *config;       /* in force: that of -c and --set */
    struct sq_engine *engine;       /* NULL with --scores-in */
    char model_name[256];           /* as alerts have it */
    struct sq_lines lines;
    struct sq_sweep sweep;
    struct sq_replay_point *points; /* what is tried: of a sweep all, of a diff the two, else one */
    unsigned points_count;
    struct sq_replay_truth truth;
    struct sq_replay_report report;
    struct sq_replay_out out;
    struct sq_replay_topic topic;
    uint64_t lines_read, refused;
    uint64_t refused_by[SQ_ERR_COUNT]; /* by row of the error table */
};

/* ---- Lines ---- */

static void note_refusal(struct replay *replay, const struct sq_replay_result *result, int code, const char *message)
{
    char place[64];
    replay->refused_by[-code]++;
    if (++replay->refused > REFUSALS_SHOWN + 1) return;
    if (replay->is_topic) snprintf(place, sizeof place, "[%" PRId32 "]@%" PRId64, result->partition, result->offset);
    else snprintf(place, sizeof place, ":%" PRIu64, result->line);
    if (replay->refused <= REFUSALS_SHOWN) fprintf(stderr, "%s%s: %s: %s\n", replay->input, place, sq_err_word(code), message);
    else fprintf(stderr, "%s%s: what else can't be used is only counted\n", replay->input, place);
}

static int take_result(const struct sq_replay_result *result, void *ctx, struct sq_err *err)
{
    struct replay *replay = ctx;
    struct sq_err problem = {0};
    int status = result->code;
    const char *message = result->message;
    for (unsigned i = 0; i < replay->points_count && status == 0; i++)
        status = sq_replay_point_take(&replay->points[i], result->score, replay->scores_in ? result->partition : -1, result->append_ms, &problem);
    if (status == 0) status = sq_replay_out_score(&replay->out, result, &problem);
    if (status == 0 && replay->report_path && !sq_replay_report_note(&replay->report, &replay->points[0].run, result->score->event_time_ms))
        status = sq_err_set(&problem, SQ_E_NOMEM, "no memory for the report");
    if (status == 0) return 0;
    if (result->code == 0) message = problem.message;
    if (sq_err_class(status) != SQ_CLASS_POISON) return sq_err_set(err, status, "%s", message);
    note_refusal(replay, result, status, message);
    return 0;
}

static int score_lines(struct replay *replay, struct sq_replay_scorer *scorer, struct sq_err *err)
{
    struct sq_str line = {0};
    int status = 0, kind = SQ_LINE_END;
    while (status == 0 && (kind = sq_lines_next(&replay->lines, &line, err)) > SQ_LINE_END) {
        const struct sq_replay_input input = {
            .line = ++replay->lines_read, .record = {.value = {line.data ? line.data : "", line.bytes}}, .is_too_long = kind == SQ_LINE_TOO_LONG,
            .partition = -1, .offset = (int64_t)replay->lines_read - 1, .timestamp_ms = -1,
        };
        status = sq_replay_scorer_take(scorer, &input, err);
    }
    return status == 0 && kind < 0 ? kind : status;
}

static int score_input(struct replay *replay, struct sq_err *err)
{
    struct sq_replay_scorer scorer;
    int status = sq_replay_scorer_init(&scorer, replay->config, replay->engine, sq_str_view(replay->input), take_result, replay, err);
    if (status == 0) status = replay->is_topic ? sq_replay_topic_score(&replay->topic, &scorer, err) : score_lines(replay, &scorer, err);
    if (status == 0) status = sq_replay_scorer_drain(&scorer, err);
    sq_replay_scorer_deinit(&scorer);
    return status;
}

static int read_scores(struct replay *replay, struct sq_err *err)
{
    struct sq_replay_reader reader;
    struct sq_replay_result result;
    int status = sq_replay_reader_open(&reader, &replay->lines, err);
    while (status == 0 && (status = sq_replay_reader_next(&reader, &result, err)) > 0) status = take_result(&result, replay, err);
    replay->lines_read = reader.taken;
    sq_replay_reader_close(&reader);
    return status;
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
    const struct sq_replay_run *run = &replay->points[0].run;
    struct sq_detector_counts counts = sq_replay_run_counts(run);
    double days = sq_replay_run_days(run);
    uint64_t firing = counts.transitions[SQ_ALERT_FIRING];
    fprintf(stderr, "%" PRIu64 " %s, %" PRIu64 " records of %u entities over %.1f days in %.2f s (%.0f a second)\n",
            replay->is_topic ? replay->topic.taken : replay->lines_read, replay->is_topic ? "read" : "lines", counts.taken, counts.entities, days, seconds, seconds > 0 ? (double)counts.taken / seconds : 0);
    tell_refusals(replay);
    fprintf(stderr, "collapsed %" PRIu64 " copies of texts, %" PRIu64 " of prolific authors; late %" PRIu64 " counted, %" PRIu64 " dropped\n",
            counts.collapsed_text, counts.collapsed_author, counts.late_included, counts.late_dropped);
    if (counts.late_dropped * 100 > counts.taken && !replay->is_topic)
        fprintf(stderr, "many records are late: sort the input by ts to replay it as it happened\n");
    if (replay->points_count > 1) return;
    fprintf(stderr, "%" PRIu64 " firing, %" PRIu64 " updated, %" PRIu64 " resolved, %u still open", firing, counts.transitions[SQ_ALERT_UPDATED],
            counts.transitions[SQ_ALERT_RESOLVED], counts.firing_warning + counts.firing_critical);
    if (days > 0 && counts.entities) fprintf(stderr, "; %.2f firing an entity and week", (double)firing * 7 / days / counts.entities);
    fputc('\n', stderr);
}

/* ---- What comes of it, on stdout ---- */

static int write_out(const struct sq_buf *text, struct sq_err *err)
{
    if (sq_buf_failed(text)) return sq_err_set(err, SQ_E_NOMEM, "no memory for the results");
    if (fwrite(text->data ? text->data : "", 1, text->bytes, stdout) == text->bytes) return 0;
    return sq_err_set(err, SQ_E_IO, "stdout can't be written: %s", strerror(errno));
}

static void write_figures(const struct replay *replay, struct sq_replay_figures *figures, struct sq_buf *text)
{
    struct sq_str path = {replay->sweep.points[0], replay->sweep.path_bytes};
    for (unsigned i = 0; i < replay->points_count; i++)
        figures[i].is_current = sq_replay_point_digest(replay->points[i].config) == sq_replay_point_digest(replay->config);
    if (replay->json) sq_replay_figures_json(figures, replay->points_count, path, text);
    else sq_replay_figures_table(figures, replay->points_count, path, text);
}

/* The table of a sweep, the lines of a diff; a truth's sentence without either goes with the summary. */
static int tell_results(struct replay *replay, struct sq_err *err)
{
    struct sq_buf text;
    struct sq_replay_figures *figures = calloc(replay->points_count, sizeof *figures);
    if (!figures) return sq_err_set(err, SQ_E_NOMEM, "no memory for the figures");
    sq_buf_init(&text);
    int status = sq_replay_figures_of(replay->points, replay->points_count, replay->truth_path ? &replay->truth : NULL, replay->settle_ms, figures, err);
    const struct sq_replay_tally *now = &replay->points[0].tally;
    if (status == 0 && replay->sweep_flag) write_figures(replay, figures, &text);
    if (status == 0 && replay->diff_flag) (replay->json ? sq_replay_diff_json : sq_replay_diff_table)(now, &replay->points[1].tally, &text);
    if (status == 0) status = write_out(&text, err);
    const struct sq_report_subject subject = {&replay->points[0], &figures[0], replay->truth_path ? &replay->truth : NULL, replay->input};
    if (status == 0 && replay->report_path) status = sq_replay_report_write(&replay->report, &subject, replay->report_path, err);
    sq_buf_clear(&text);
    if (status == 0 && replay->truth_path && !replay->sweep_flag) sq_replay_figures_sentence(figures, &text);
    if (text.bytes) fputs(text.data, stderr);
    if (status == 0 && fflush(stdout) != 0) status = sq_err_set(err, SQ_E_IO, "stdout can't be written: %s", strerror(errno));
    sq_buf_deinit(&text);
    free(figures);
    return status;
}

/* ---- What is tried ---- */

/* The configuration in force with one more --set, or one of its own. */
static int load_point(const struct replay *replay, struct sq_replay_point *point, const char *path, const char *set, struct sq_err *err)
{
    const char *sets[SQ_OPTION_LIST_MAX + 1];
    unsigned count = set ? replay->sets.count : 0;
    for (unsigned i = 0; i < count; i++) sets[i] = replay->sets.items[i];
    if (set) sets[count++] = set;
    const struct sq_config_sources sources = {.path = path, .sets = sets, .sets_count = count, .offline = true};
    int status = sq_config_load(&point->config, &sources, err);
    point->is_own = status == 0;
    return status;
}

/* BASE is a file, or PATH=VALUE beside what is in force. */
static int load_base(struct replay *replay, struct sq_replay_point *point, struct sq_err *err)
{
    bool is_set = strchr(replay->diff_flag, '=') && access(replay->diff_flag, F_OK) != 0;
    return is_set ? load_point(replay, point, replay->config_path, replay->diff_flag, err) : load_point(replay, point, replay->diff_flag, NULL, err);
}

static int load_points(struct replay *replay, struct sq_err *err)
{
    unsigned count = replay->sweep_flag ? replay->sweep.count : replay->diff_flag ? 2 : 1;
    replay->points = calloc(count, sizeof *replay->points);
    if (!replay->points) return sq_err_set(err, SQ_E_NOMEM, "no memory for %u detectors", count);
    replay->points_count = count;
    int status = 0;
    if (!replay->sweep_flag) replay->points[0] = (struct sq_replay_point){.name = "", .config = replay->config, .out = &replay->out};
    if (replay->diff_flag) status = load_base(replay, &replay->points[1], err);
    for (unsigned i = 0; i < replay->sweep.count && status == 0; i++) {
        replay->points[i].name = replay->sweep.points[i] + replay->sweep.path_bytes + 1;
        status = load_point(replay, &replay->points[i], replay->config_path, replay->sweep.points[i], err);
    }
    for (unsigned i = 0; i < count && status == 0; i++) status = sq_replay_point_open(&replay->points[i], replay->model_name, err);
    return status;
}

/* ---- The command ---- */

static int read_input(struct replay *replay, struct sq_err *err)
{
    if (!replay->scores_in) return score_input(replay, err);
    return replay->is_topic ? sq_replay_topic_read(&replay->topic, take_result, replay, err) : read_scores(replay, err);
}

/* A file has an end, and there the last bucket closes; a topic goes on, and its last bucket is as open as it is for a worker. */
static int read_all(struct replay *replay, struct sq_err *err)
{
    int status = replay->is_topic ? 0 : sq_lines_open(&replay->lines, replay->input, replay->config->input.format.bytes_max, err);
    if (status) return status;
    if (!replay->is_topic) replay->input = replay->lines.name;
    uint64_t start_ns = sq_clock_monotonic_ns();
    status = read_input(replay, err);
    for (unsigned i = 0; i < replay->points_count && status == 0 && !replay->is_topic; i++) status = sq_replay_point_finish(&replay->points[i], err);
    if (status == 0 && !replay->quiet) tell_summary(replay, (double)(sq_clock_monotonic_ns() - start_ns) / 1e9);
    if (!replay->is_topic) sq_lines_close(&replay->lines);
    return status;
}

static int replay_input(struct replay *replay, struct sq_err *err)
{
    if (!replay->is_topic) replay->config->input.format.encoding = SQ_EVENT_JSON; /* whatever the topics hold */
    else if (sq_replay_topic_init(&replay->topic, replay->config, replay->input, replay->from_flag, replay->to_flag, err)) return err->code;
    enum sq_replay_stdout to_stdout = replay->sweep_flag || replay->diff_flag ? SQ_REPLAY_SILENT : replay->json ? SQ_REPLAY_JSON : SQ_REPLAY_PEOPLE;
    int status = replay->truth_path ? sq_replay_truth_read(&replay->truth, replay->truth_path, err) : 0;
    if (status == 0 && !replay->scores_in) status = sq_model_open_configured(&replay->engine, replay->config, &replay->models, err);
    sq_model_configured_name(replay->config, &replay->models, replay->model_name, sizeof replay->model_name);
    if (replay->scores_in && !replay->is_topic) replay->model_name[0] = '\0'; /* whose scores these are isn't known */
    if (status == 0) status = load_points(replay, err);
    if (status) return status;
    status = sq_replay_out_open(&replay->out, replay->scores_path, replay->alerts_path, to_stdout, err);
    replay->out.is_published = replay->as_published;
    if (status == 0) status = read_all(replay, err);
    if (status == 0) status = tell_results(replay, err);
    int closed = sq_replay_out_close(&replay->out, status ? NULL : err);
    return status ? status : closed;
}

static void close_all(struct replay *replay)
{
    for (unsigned i = 0; i < replay->points_count; i++) sq_replay_point_close(&replay->points[i]);
    free(replay->points);
    sq_replay_truth_deinit(&replay->truth);
    sq_replay_report_deinit(&replay->report);
    if (replay->engine) sq_engine_close(replay->engine);
    sq_config_close(replay->config);
}

/* What options say together; SQ_ARGS_GO_ON, or the exit code. */
static int check_input(const struct replay *replay, const struct sq_operands *operands)
{
    if (replay->is_topic && operands->count) return sq_args_mistake(&sq_command_replay, "--topic is the input already: no INPUT beside it");
    if (!replay->is_topic && (replay->from_flag || replay->to_flag)) return sq_args_mistake(&sq_command_replay, "--from and --to are places in a --topic");
    if (!replay->is_topic && operands->count == 0) return sq_args_mistake(&sq_command_replay, "an INPUT is missing; - is stdin, --topic reads from Kafka");
    if (!replay->is_topic && !replay->scores_in && sq_replay_out_is_compact(operands->items[0]))
        return sq_args_mistake(&sq_command_replay, "%s holds scores, not texts: --scores-in reads them", operands->items[0]);
    return SQ_ARGS_GO_ON;
}

static int check_options(struct replay *replay)
{
    struct sq_err err;
    bool copies = replay->scores_in && !replay->is_topic && replay->scores_path && !sq_replay_out_is_compact(replay->scores_path);
    bool reads_twice = replay->config_path && strcmp(replay->config_path, "-") == 0 && (replay->sweep_flag || replay->diff_flag);
    if (copies) return sq_args_mistake(&sq_command_replay, "--scores-out with --scores-in would copy the input; a name that ends in " SQ_COMPACT_SUFFIX " turns it into the compact form");
    if (reads_twice) return sq_args_mistake(&sq_command_replay, "-c - can be read once only: --sweep and --diff need a file");
    if (replay->sweep_flag && replay->diff_flag) return sq_args_mistake(&sq_command_replay, "--sweep and --diff are two questions: ask one");
    if (replay->sweep_flag && replay->report_path) return sq_args_mistake(&sq_command_replay, "--report shows one configuration's alerts, --sweep tries many");
    if (replay->sweep_flag && replay->alerts_path) return sq_args_mistake(&sq_command_replay, "--alerts-out has one configuration's alerts, --sweep tries many");
    if (replay->sweep_flag && sq_sweep_parse(&replay->sweep, replay->sweep_flag, &err)) return sq_args_mistake(&sq_command_replay, "%s", err.message);
    if (replay->settle_flag && !sq_config_duration_parse(sq_str_view(replay->settle_flag), &replay->settle_ms))
        return sq_args_mistake(&sq_command_replay, "--settle %s: expected a duration, as 7d", replay->settle_flag);
    return SQ_ARGS_GO_ON;
}

static int run(int argc, char **argv)
{
    struct replay replay = {0};
    sq_replay_report_init(&replay.report);
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &replay.config_path}, {.name = "set", .letter = 's', .list = &replay.sets},
        {.name = "model", .list = &replay.models},                      {.name = "scores-out", .text = &replay.scores_path},
        {.name = "alerts-out", .text = &replay.alerts_path},            {.name = "scores-in", .flag = &replay.scores_in},
        {.name = "sweep", .text = &replay.sweep_flag},                  {.name = "diff", .text = &replay.diff_flag},
        {.name = "truth", .text = &replay.truth_path},                  {.name = "settle", .text = &replay.settle_flag},
        {.name = "report", .text = &replay.report_path},                {.name = "topic", .text = &replay.input},
        {.name = "from", .text = &replay.from_flag},                    {.name = "to", .text = &replay.to_flag},
        {.name = "as-published", .flag = &replay.as_published},
        {.name = "json", .flag = &replay.json},                         {.name = "quiet", .letter = 'q', .flag = &replay.quiet},
        {0},
    };
    struct sq_operands operands = {.max = 1};
    int exit_code = sq_args_parse(&sq_command_replay, options, argc, argv, &operands);
    replay.is_topic = replay.input != NULL;
    if (exit_code == SQ_ARGS_GO_ON) exit_code = check_input(&replay, &operands);
    if (exit_code == SQ_ARGS_GO_ON) exit_code = check_options(&replay);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;

    struct sq_err err;
    const struct sq_config_sources sources = {
        .path = replay.config_path, .sets = replay.sets.items, .sets_count = replay.sets.count, .offline = !replay.is_topic};
    if (!replay.is_topic) replay.input = operands.items[0];
    int status = sq_config_load(&replay.config, &sources, &err);
    if (status == 0) status = replay_input(&replay, &err);
    close_all(&replay);
    if (status == 0) return 0;
    fprintf(stderr, "squall replay: %s\n", err.message);
    return sq_err_exit_code(status);
}

const struct sq_command sq_command_replay = {
    "replay", "history through the same code: what would have been an alert",
    "usage: squall replay [-c FILE] [--set path=value]... [--scores-out F] [--alerts-out F] INPUT|-\n"
    "       squall replay [-c FILE] [--set path=value]... --scores-in [--alerts-out F] INPUT|-\n"
    "       squall replay [-c FILE] [--set path=value]... --topic T [--from PLACE] [--to PLACE] [--scores-in] [--alerts-out F]\n"
    "       squall replay ... --sweep path=a:b:step|a,b,c INPUT|-\n"
    "       squall replay ... --diff BASE INPUT|-\n"
    "\n"
    "INPUT is JSON lines with the configuration's input.fields (text, entity, ts, author, id), sorted by time. Event time drives\n"
    "everything; neither brokers nor topics are needed. Alerts go to stdout, a summary to stderr. Lines that can't be used are told of,\n"
    "counted and passed over, as a worker would send them to the dead letters.\n"
    "\n"
    "With --topic the input is a range of a topic on kafka.brokers, read without a group: records in input.format or, with --scores-in, the\n"
    "scores of a worker, which give the alerts it published. The last minute stays open, as it does for a worker.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone\n"
    "  -s, --set PATH=VALUE   sets one key, as in rules.NegativeSpike.budget_per_entity_week=0.2; repeatable\n"
    "      --model DIR        a Hugging Face folder instead of model.path; repeated: an ensemble\n"
    "      --scores-out F     each record's score as a line: entity, ts, label, score, scores, author, text_hash; in the compact form\n"
    "                         where F ends in .sqs, which replays several times faster\n"
    "      --scores-in        INPUT holds such scores, in either form: no model is run\n"
    "      --topic T          a topic instead of INPUT\n"
    "      --from, --to PLACE of each partition: start, end, an offset N, +N after the start, -N before the end, or a time as @-2h,\n"
    "                         @2026-01-31T12:00:00Z, @1767225600000; default start and end. What is at --to is left out\n"
    "      --alerts-out F     each transition as a line of JSON, times in milliseconds\n"
    "      --as-published     alerts in the form of <app>.alerts instead\n"
    "      --sweep P=VALUES   one read of the input, a detector for each value of a key, a table of what they give\n"
    "      --diff BASE        which alerts this configuration adds (+), removes (-) and moves (~) against BASE: a file, or PATH=VALUE\n"
    "                         beside -c and --set\n"
    "      --truth F          what really happened, as lines {\"entity\",\"start\",\"end\"}, times in milliseconds: recall and false alarms\n"
    "      --report F         an HTML page of its own: each entity's rate over what is usual for it, and the alerts\n"
    "      --settle TIME      what starts in this first part of the input counts neither in a sweep nor against a truth; as 7d\n"
    "      --json             the same on stdout as JSON, instead of lines for people\n"
    "  -q, --quiet            no summary\n"
    "\n"
    "Exit codes: 0 done; 1 the input can't be read or an output not written; 69 no answer from the broker; 78 wrong configuration or model.\n",
    run};
