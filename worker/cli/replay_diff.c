/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_diff.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/json.h"
#include "engine/base/time_text.h"
#include "proto/codec.h"
#include "worker/cli/replay_out.h"
#include "worker/cli/shown.h"

enum { MINUTE_MS = 60000 };

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MOVED, CHANGE_NONE, CHANGES_COUNT };
static const char signs[] = "+-~";
static const char *const names[] = {"added", "removed", "moved"};

/* An alert, what became of it, and for a moved one its counterpart. */
struct difference {
    enum change change;
    const struct sq_replay_episode *episode, *before;
};

typedef void (*sq_difference_fn)(const struct difference *difference, void *ctx);

static const struct sq_replay_episode *find_meeting(const struct sq_replay_tally *tally, const struct sq_replay_episode *episode)
{
    for (uint32_t i = 0; i < tally->episodes_count; i++)
        if (sq_replay_episode_meets(&tally->episodes[i], episode)) return &tally->episodes[i];
    return NULL;
}

/* Those of `now` in their order, then those that only `base` has. */
static void compare(const struct sq_replay_tally *now, const struct sq_replay_tally *base, sq_difference_fn each, void *ctx)
{
    for (uint32_t i = 0; i < now->episodes_count; i++) {
        const struct sq_replay_episode *episode = &now->episodes[i];
        struct difference difference = {.change = CHANGE_NONE, .episode = episode};
        if (!sq_replay_tally_find(base, episode->alert_id)) {
            difference.before = find_meeting(base, episode);
            difference.change = difference.before ? CHANGE_MOVED : CHANGE_ADDED;
        }
        each(&difference, ctx);
    }
    for (uint32_t i = 0; i < base->episodes_count; i++) {
        const struct sq_replay_episode *episode = &base->episodes[i];
        if (sq_replay_tally_find(now, episode->alert_id) || find_meeting(now, episode)) continue;
        each(&(struct difference){.change = CHANGE_REMOVED, .episode = episode}, ctx);
    }
}

/* ---- For people ---- */

struct table {
    struct sq_buf *out;
    unsigned counts[CHANGES_COUNT];
};

static void write_row(const struct difference *difference, void *ctx)
{
    struct table *table = ctx;
    table->counts[difference->change]++;
    if (difference->change == CHANGE_NONE) return;
    const struct sq_replay_episode *episode = difference->episode;
    char time[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(episode->fired_ms, time);
    sq_buf_printf(table->out, "%c %.10s %.5s  ", signs[difference->change], time, time + 11);
    sq_shown_append(table->out, sq_str_view(episode->rule));
    sq_buf_append_char(table->out, ' ');
    sq_shown_append(table->out, sq_str_view(episode->entity));
    sq_buf_printf(table->out, "  %s, S %.1f", sq_severity_word(episode->severity), episode->strength);
    if (difference->before) sq_buf_printf(table->out, ", %+.0f min", (double)(episode->fired_ms - difference->before->fired_ms) / MINUTE_MS);
    sq_buf_append_text(table->out, "  ");
    sq_shown_append(table->out, sq_str_view(episode->summary));
    if (episode->example[0]) {
        sq_buf_append_text(table->out, "\n      \"");
        sq_shown_append(table->out, sq_str_view(episode->example));
        sq_buf_append_char(table->out, '"');
    }
    sq_buf_append_char(table->out, '\n');
}

void sq_replay_diff_table(const struct sq_replay_tally *now, const struct sq_replay_tally *base, struct sq_buf *out)
{
    struct table table = {.out = out};
    compare(now, base, write_row, &table);
    sq_buf_printf(out, "%u added, %u removed, %u moved, %u the same\n", table.counts[CHANGE_ADDED], table.counts[CHANGE_REMOVED],
                  table.counts[CHANGE_MOVED], table.counts[CHANGE_NONE]);
}

/* ---- JSON ---- */

struct listing {
    enum change change; /* the one that is listed */
    struct sq_buf *out;
    unsigned count;
};

static void write_text(struct sq_buf *out, const char *key, const char *text)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

static void write_time(struct sq_buf *out, const char *key, int64_t ms)
{
    sq_json_write_key(out, key);
    sq_buf_printf(out, "%" PRId64, ms);
}

static void list_one(const struct difference *difference, void *ctx)
{
    struct listing *listing = ctx;
    if (difference->change != listing->change) return;
    if (listing->count++ && listing->change != CHANGE_NONE) sq_buf_append_char(listing->out, ',');
    if (listing->change == CHANGE_NONE) return;
    const struct sq_replay_episode *episode = difference->episode;
    char id[24];
    snprintf(id, sizeof id, "%016" PRIx64, episode->alert_id);
    sq_buf_append_char(listing->out, '{');
    write_text(listing->out, "rule", episode->rule);
    write_text(listing->out, "entity", episode->entity);
    write_text(listing->out, "alert_id", id);
    write_time(listing->out, "at", episode->fired_ms);
    if (episode->ends_ms != INT64_MAX) write_time(listing->out, "ends_at", episode->ends_ms);
    if (difference->before) write_time(listing->out, "base_at", difference->before->fired_ms);
    write_text(listing->out, "severity", sq_severity_word(episode->severity));
    sq_json_write_key(listing->out, "strength");
    sq_json_write_real(listing->out, episode->strength);
    write_text(listing->out, "summary", episode->summary);
    write_text(listing->out, "example", episode->example);
    sq_buf_append_char(listing->out, '}');
}

void sq_replay_diff_json(const struct sq_replay_tally *now, const struct sq_replay_tally *base, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    for (unsigned change = 0; change < CHANGE_NONE; change++) {
        struct listing listing = {change, out, 0};
        sq_json_write_key(out, names[change]);
        sq_buf_append_char(out, '[');
        compare(now, base, list_one, &listing);
        sq_buf_append_char(out, ']');
    }
    struct listing same = {CHANGE_NONE, out, 0};
    compare(now, base, list_one, &same);
    sq_json_write_key(out, "same");
    sq_buf_printf(out, "%u}\n", same.count);
}
