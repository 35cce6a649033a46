/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/test_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/session.h"
#include "engine/texthash.h"
#include "proto/codec.h"
#include "worker/cli/replay_run.h"

/* A row of records as far as it went. */
struct row {
    const struct sq_test_input *input;
    int64_t next_ms;
    uint64_t taken;
    struct sq_str label;  /* of the matching records */
    float score;
    uint64_t text_hash;   /* of a text; 0: made up */
};

/* Mixes well in its high bits, which is where the detector tells copies by. https://prng.di.unimi.it/splitmix64.c */
static uint64_t mix(uint64_t number)
{
    number += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

static int score_text(struct row *row, const struct sq_engine *engine, struct sq_err *err)
{
    const struct sq_test_input *input = row->input;
    struct sq_prediction prediction = {0};
    struct sq_session *session;
    int status = sq_session_open(&session, engine, err);
    if (status) return status;
    sq_session_score(session, &input->text, 1, &prediction);
    sq_session_close(session);
    if (prediction.code) return sq_err_set(err, prediction.code, "the text in line %zu can't be scored: %s", input->line, sq_err_meaning(prediction.code));
    row->label = sq_str_view(sq_engine_info(engine)->labels[prediction.label]);
    row->score = prediction.score;
    row->text_hash = prediction.text_hash;
    return 0;
}

static int open_row(struct row *row, const struct sq_test_input *input, const struct sq_engine *engine, struct sq_err *err)
{
    *row = (struct row){.input = input, .next_ms = input->from_ms, .label = input->label, .score = (float)input->score};
    return input->text.bytes ? score_text(row, engine, err) : 0;
}

/* The row whose next record comes first; of several the one that stands first in the file. NULL at the end. */
static struct row *earliest(struct row *rows, unsigned count)
{
    struct row *first = NULL;
    for (unsigned i = 0; i < count; i++)
        if (rows[i].next_ms < rows[i].input->to_ms && (!first || rows[i].next_ms < first->next_ms)) first = &rows[i];
    return first;
}

/* Matches are spread evenly, so that any part of the row has the share, and the same ones match in every run. */
static bool matches(const struct row *row)
{
    double share = row->input->share;
    return (uint64_t)((double)(row->taken + 1) * share + 1e-9) > (uint64_t)((double)row->taken * share + 1e-9);
}

static struct sq_score score_of(const struct row *row, const struct row *rows, int64_t offset)
{
    const struct sq_test_input *input = row->input;
    uint64_t own = (uint64_t)(row - rows + 1) << 40 | row->taken; /* a number no other record has */
    struct sq_score score = {
        .source = {SQ_STR("test"), 0, offset}, .entity = input->entity, .event_time_ms = SQ_TEST_START_MS + row->next_ms,
        .label = matches(row) ? row->label : SQ_STR("other"), .score = row->score, .excerpt = input->text};
    score.author_hash = input->author.bytes ? sq_author_hash(input->author) : mix(input->authors ? row->taken % input->authors + 1 : own);
    score.text_hash = row->text_hash ? row->text_hash : input->text.bytes ? 0 : mix(~(input->texts ? row->taken % input->texts + 1 : own));
    return score;
}

struct telling {
    struct sq_test_result *result;
    struct sq_err *err;
};

/* Not strndup: that looks for an end in what may have none. */
static char *copy(struct sq_str str)
{
    char *text = malloc(str.bytes + 1);
    if (!text) return NULL;
    if (str.bytes) memcpy(text, str.data, str.bytes);
    text[str.bytes] = '\0';
    return text;
}

static int on_alert(const struct sq_alert *alert, void *ctx)
{
    const struct telling *telling = ctx;
    struct sq_test_result *result = telling->result;
    if (result->count == result->capacity) {
        unsigned capacity = result->capacity ? 2 * result->capacity : 16;
        struct sq_test_transition *transitions = realloc(result->transitions, capacity * sizeof *transitions);
        if (!transitions) return sq_err_set(telling->err, SQ_E_NOMEM, "no memory for another alert");
        result->transitions = transitions;
        result->capacity = capacity;
    }
    struct sq_test_transition *transition = &result->transitions[result->count];
    *transition = (struct sq_test_transition){
        .state = alert->state, .reason = alert->reason, .severity = alert->severity, .at_ms = alert->at_ms - SQ_TEST_START_MS,
        .matched = alert->stats.matched, .count = alert->stats.count, .rule = copy(alert->rule),
        .entity = copy(alert->entity)};
    result->count++;
    return transition->rule && transition->entity ? 0 : sq_err_set(telling->err, SQ_E_NOMEM, "no memory for another alert");
}

int sq_test_run(const struct sq_test_case *test, const struct sq_config *config, const struct sq_engine *engine, struct sq_test_result *result,
                struct sq_err *err)
{
    *result = (struct sq_test_result){0};
    struct telling telling = {result, err};
    struct sq_replay_run run = {0};
    struct row *rows = calloc((size_t)test->inputs_count + 1, sizeof *rows), *row;
    int status = rows ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for a test");
    for (unsigned i = 0; i < test->inputs_count && status == 0; i++) status = open_row(&rows[i], &test->inputs[i], engine, err);
    if (status == 0) status = sq_replay_run_open(&run, config, "", on_alert, &telling, err);
    for (int64_t offset = 0; status == 0 && (row = earliest(rows, test->inputs_count)); offset++) {
        const struct sq_score score = score_of(row, rows, offset);
        status = sq_replay_run_take(&run, &score, err);
        row->next_ms += row->input->every_ms;
        row->taken++;
    }
    if (status == 0) status = sq_replay_run_finish(&run, err);
    sq_replay_run_close(&run);
    free(rows);
    if (status) sq_test_result_deinit(result);
    return status;
}

void sq_test_result_deinit(struct sq_test_result *result)
{
    for (unsigned i = 0; i < result->count; i++) {
        free(result->transitions[i].rule);
        free(result->transitions[i].entity);
    }
    free(result->transitions);
    *result = (struct sq_test_result){0};
}

/* ---- Judging ---- */

static bool fits(struct sq_str wanted, const char *word) { return wanted.bytes == 0 || sq_str_equal(wanted, sq_str_view(word)); }

const struct sq_test_transition *sq_test_find(const struct sq_test_result *result, const struct sq_test_expectation *expectation)
{
    for (unsigned i = 0; i < result->count; i++) {
        const struct sq_test_transition *t = &result->transitions[i];
        if (expectation->state >= 0 && (int)t->state != expectation->state) continue;
        if (t->at_ms < expectation->from_ms || t->at_ms > expectation->to_ms) continue;
        if (fits(expectation->rule, t->rule) && fits(expectation->entity, t->entity) && fits(expectation->severity, sq_severity_word(t->severity)) &&
            fits(expectation->reason, sq_alert_reason_word(t->reason)))
            return t;
    }
    return NULL;
}
