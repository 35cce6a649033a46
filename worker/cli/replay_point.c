/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_point.h"

#include <stdlib.h>

#include "worker/cli/replay_median.h"
#include "worker/core/identity.h"

enum { MINUTE_MS = 60000 };

static int on_alert(const struct sq_alert *alert, void *ctx)
{
    struct sq_replay_point *point = ctx;
    int status = sq_replay_tally_take(&point->tally, alert, point->err);
    return status == 0 && point->out ? sq_replay_out_alert(point->out, alert, point->err) : status;
}

int sq_replay_point_open(struct sq_replay_point *point, const char *model_name, struct sq_err *err)
{
    sq_replay_tally_init(&point->tally);
    return sq_replay_run_open(&point->run, point->config, model_name, on_alert, point, err);
}

int sq_replay_point_take(struct sq_replay_point *point, const struct sq_score *score, int32_t partition, int64_t append_ms, struct sq_err *err)
{
    point->err = err;
    return sq_replay_run_take_at(&point->run, score, partition, append_ms, err);
}

int sq_replay_point_finish(struct sq_replay_point *point, struct sq_err *err)
{
    point->err = err;
    return sq_replay_run_finish(&point->run, err);
}

void sq_replay_point_close(struct sq_replay_point *point)
{
    sq_replay_run_close(&point->run);
    sq_replay_tally_deinit(&point->tally);
    if (point->is_own) sq_config_close(point->config);
}

/* ---- Figures ---- */

struct judging {
    const struct sq_replay_point *points;
    unsigned points_count;
    int64_t from_ms;
    double *numbers; /* room for one an episode of any point */
};

static unsigned count_entities(const struct sq_replay_tally *tally, int64_t from_ms)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < tally->episodes_count; i++) {
        bool is_new = tally->episodes[i].fired_ms >= from_ms;
        for (uint32_t j = 0; j < i && is_new; j++)
            is_new = tally->episodes[j].fired_ms < from_ms || strcmp(tally->episodes[i].entity, tally->episodes[j].entity) != 0;
        count += is_new;
    }
    return count;
}

static double median_open(const struct judging *judging, const struct sq_replay_tally *tally)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < tally->episodes_count; i++) {
        const struct sq_replay_episode *episode = &tally->episodes[i];
        if (episode->fired_ms >= judging->from_ms && episode->ends_ms != INT64_MAX)
            judging->numbers[count++] = (double)(episode->ends_ms - episode->fired_ms) / MINUTE_MS;
    }
    return sq_median(judging->numbers, count);
}

/* Of all points, the one that told first of what this alert tells of. */
static int64_t earliest(const struct judging *judging, const struct sq_replay_episode *episode)
{
    int64_t earliest_ms = episode->fired_ms;
    for (unsigned p = 0; p < judging->points_count; p++) {
        const struct sq_replay_tally *tally = &judging->points[p].tally;
        for (uint32_t i = 0; i < tally->episodes_count && tally->episodes[i].fired_ms < earliest_ms; i++)
            if (sq_replay_episode_meets(&tally->episodes[i], episode)) earliest_ms = tally->episodes[i].fired_ms;
    }
    return earliest_ms;
}

static double median_behind(const struct judging *judging, const struct sq_replay_tally *tally)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < tally->episodes_count; i++) {
        const struct sq_replay_episode *episode = &tally->episodes[i];
        if (episode->fired_ms >= judging->from_ms) judging->numbers[count++] = (double)(episode->fired_ms - earliest(judging, episode)) / MINUTE_MS;
    }
    return sq_median(judging->numbers, count);
}

static void count_alerts(const struct sq_replay_tally *tally, int64_t from_ms, struct sq_replay_figures *figures)
{
    for (uint32_t i = 0; i < tally->episodes_count; i++) {
        const struct sq_replay_episode *episode = &tally->episodes[i];
        if (episode->fired_ms < from_ms) continue;
        figures->alerts++;
        figures->reopenings += episode->reopenings;
        figures->still_open += episode->ends_ms == INT64_MAX;
    }
    figures->entities_alerted = count_entities(tally, from_ms);
}

uint64_t sq_replay_point_digest(const struct sq_config *config) { return sq_identity_rules(config->rules, config->rules_count, &config->time); }

static int fill(const struct judging *judging, const struct sq_replay_point *point, const struct sq_replay_truth *truth, struct sq_replay_figures *figures,
                struct sq_err *err)
{
    *figures = (struct sq_replay_figures){.name = point->name, .has_truth = truth != NULL, .entities = sq_replay_run_counts(&point->run).entities};
    count_alerts(&point->tally, judging->from_ms, figures);
    figures->days = (double)(point->run.last_ms - judging->from_ms) / 86400000;
    double entity_weeks = figures->days * figures->entities / 7;
    figures->alerts_a_day = figures->days > 0 ? figures->alerts / figures->days : 0;
    figures->alerts_entity_week = entity_weeks > 0 ? figures->alerts / entity_weeks : 0;
    figures->open_minutes = median_open(judging, &point->tally);
    if (!truth) {
        figures->delay_minutes = median_behind(judging, &point->tally);
        return 0;
    }
    int status = sq_replay_truth_judge(truth, &point->tally, judging->from_ms, &figures->verdict, err);
    figures->delay_minutes = figures->verdict.delay_minutes;
    figures->recall = figures->verdict.events ? (double)figures->verdict.caught / figures->verdict.events : 0;
    figures->false_entity_week = entity_weeks > 0 ? figures->verdict.false_alerts / entity_weeks : 0;
    return status;
}

int sq_replay_figures_of(const struct sq_replay_point *points, unsigned points_count, const struct sq_replay_truth *truth, int64_t settle_ms,
                         struct sq_replay_figures *figures, struct sq_err *err)
{
    struct judging judging = {.points = points, .points_count = points_count};
    size_t episodes = 1;
    for (unsigned i = 0; i < points_count; i++) episodes += points[i].tally.episodes_count;
    judging.numbers = calloc(episodes, sizeof *judging.numbers);
    if (!judging.numbers) return sq_err_set(err, SQ_E_NOMEM, "no memory for the figures");
    int status = 0;
    for (unsigned i = 0; i < points_count && status == 0; i++) {
        bool has_input = points[i].run.last_ms >= points[i].run.first_ms;
        judging.from_ms = has_input ? points[i].run.first_ms + settle_ms : 0;
        status = fill(&judging, &points[i], truth, &figures[i], err);
        if (!has_input || figures[i].days < 0) figures[i].days = 0;
    }
    free(judging.numbers);
    return status;
}
