/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_truth.h"

#include <inttypes.h>
#include <stdlib.h>

#include "engine/base/json.h"
#include "engine/base/time_text.h"
#include "worker/cli/lines.h"
#include "worker/cli/replay_median.h"

enum { MINUTE_MS = 60000, EARLY_MS = 20 * MINUTE_MS, CATCH_MS = 15 * MINUTE_MS, NEUTRAL_MS = 60 * MINUTE_MS, LINE_BYTES_MAX = 4096 };

/* ---- Reading ---- */

static int read_event(struct sq_replay_event *event, struct sq_str line, const char *where, struct sq_err *err)
{
    json_t *root;
    int status = sq_json_parse(&root, where, line, SQ_E_IO, err);
    if (status) return status;
    const char *entity = NULL;
    status = sq_json_get_text(root, "entity", "", &entity, SQ_E_IO, err);
    if (status == 0) status = sq_json_get_int(root, "start", 0, SQ_TIME_MS_MAX, -1, &event->start_ms, SQ_E_IO, err);
    if (status == 0) status = sq_json_get_int(root, "end", 0, SQ_TIME_MS_MAX, -1, &event->end_ms, SQ_E_IO, err);
    if (status == 0) {
        int bytes = snprintf(event->entity, sizeof event->entity, "%s", entity);
        bool is_whole = bytes > 0 && (size_t)bytes < sizeof event->entity && event->start_ms >= 0 && event->end_ms > event->start_ms;
        if (!is_whole) status = sq_err_set(err, SQ_E_IO, "expected {\"entity\":\"...\",\"start\":MS,\"end\":MS}, the end after the start");
    }
    json_decref(root);
    return status && strncmp(err->message, where, strlen(where)) != 0 ? sq_err_prefix(err, "%s: ", where) : status;
}

static struct sq_replay_event *append(struct sq_replay_truth *truth)
{
    if (truth->count == truth->capacity) {
        uint32_t capacity = truth->capacity ? 2 * truth->capacity : 64;
        struct sq_replay_event *events = realloc(truth->events, capacity * sizeof *events);
        if (!events) return NULL;
        truth->events = events;
        truth->capacity = capacity;
    }
    return &truth->events[truth->count];
}

int sq_replay_truth_read(struct sq_replay_truth *truth, const char *path, struct sq_err *err)
{
    *truth = (struct sq_replay_truth){0};
    struct sq_lines lines;
    struct sq_str line = {0};
    int status = sq_lines_open(&lines, path, LINE_BYTES_MAX, err), kind = SQ_LINE_END;
    if (status) return status;
    for (uint64_t number = 1; status == 0 && (kind = sq_lines_next(&lines, &line, err)) > SQ_LINE_END; number++) {
        char where[512];
        snprintf(where, sizeof where, "%.400s:%" PRIu64, path, number);
        struct sq_replay_event *event = append(truth);
        if (!event) status = sq_err_set(err, SQ_E_NOMEM, "no memory for the events of %s", path);
        else if (kind == SQ_LINE_TOO_LONG) status = sq_err_set(err, SQ_E_IO, "%s: a line of over %d bytes", where, LINE_BYTES_MAX);
        else if (line.bytes) status = read_event(event, line, where, err);
        if (status == 0 && line.bytes) truth->count++;
    }
    sq_lines_close(&lines);
    return status ? status : kind < 0 ? kind : 0;
}

void sq_replay_truth_deinit(struct sq_replay_truth *truth)
{
    free(truth->events);
    *truth = (struct sq_replay_truth){0};
}

/* ---- Judging ---- */

static bool is_within(const struct sq_replay_event *event, const struct sq_replay_episode *episode, int64_t at_ms, int64_t after_ms)
{
    return at_ms >= event->start_ms && at_ms < event->end_ms + after_ms && strcmp(event->entity, episode->entity) == 0;
}

int64_t sq_replay_truth_delay_ms(const struct sq_replay_event *event, const struct sq_replay_tally *tally)
{
    for (uint32_t i = 0; i < tally->firings_count; i++) {
        const struct sq_replay_firing *firing = &tally->firings[i];
        if (is_within(event, &tally->episodes[firing->episode], firing->at_ms, CATCH_MS)) return firing->at_ms - event->start_ms;
    }
    return -1;
}

bool sq_replay_truth_is_false(const struct sq_replay_truth *truth, const struct sq_replay_episode *episode)
{
    for (uint32_t i = 0; i < truth->count; i++)
        if (is_within(&truth->events[i], episode, episode->fired_ms, NEUTRAL_MS)) return false;
    return true;
}

int sq_replay_truth_judge(const struct sq_replay_truth *truth, const struct sq_replay_tally *tally, int64_t from_ms, struct sq_replay_verdict *verdict,
                          struct sq_err *err)
{
    *verdict = (struct sq_replay_verdict){0};
    double *delays = calloc((size_t)truth->count + 1, sizeof *delays);
    if (!delays) return sq_err_set(err, SQ_E_NOMEM, "no memory for the events' delays");
    for (uint32_t i = 0; i < truth->count; i++) {
        if (truth->events[i].start_ms < from_ms) continue;
        int64_t delay_ms = sq_replay_truth_delay_ms(&truth->events[i], tally);
        verdict->events++;
        if (delay_ms >= 0) delays[verdict->caught++] = (double)delay_ms / MINUTE_MS;
        if (delay_ms >= 0 && delay_ms <= EARLY_MS) verdict->caught_early++;
    }
    verdict->delay_minutes = sq_median(delays, verdict->caught);
    free(delays);
    for (uint32_t i = 0; i < tally->episodes_count; i++)
        if (tally->episodes[i].fired_ms >= from_ms && sq_replay_truth_is_false(truth, &tally->episodes[i])) verdict->false_alerts++;
    return 0;
}
