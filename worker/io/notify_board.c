/* SPDX-License-Identifier: Apache-2.0 */
/* Alertmanager's part of notify_request.h. */
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/time_text.h"
#include "worker/io/notify_request.h"

/* One Alertmanager alert: a fingerprint of ours with one severity. */
struct post {
    UT_hash_handle hh;
    int64_t starts_ms, ended_ms; /* ended 0: open */
    struct sq_buf labels;        /* with the annotations: all of the object but its times; owned */
    size_t key_bytes;
    char key[];                  /* "fingerprint severity" */
};

struct sq_notify_board {
    struct post *posts; /* uthash, in the order in which they came */
};

struct sq_notify_board *sq_notify_board_open(void) { return calloc(1, sizeof(struct sq_notify_board)); }

static void drop(struct sq_notify_board *board, struct post *post)
{
    HASH_DEL(board->posts, post);
    sq_buf_deinit(&post->labels);
    free(post);
}

void sq_notify_board_clear(struct sq_notify_board *board)
{
    struct post *post, *next;
    HASH_ITER(hh, board->posts, post, next) drop(board, post);
}

void sq_notify_board_close(struct sq_notify_board *board)
{
    if (!board) return;
    sq_notify_board_clear(board);
    free(board);
}

static struct post *find_or_add(struct sq_notify_board *board, const char *key)
{
    struct post *post;
    size_t bytes = strlen(key);
    HASH_FIND(hh, board->posts, key, bytes, post);
    if (post) return post;
    post = calloc(1, sizeof *post + bytes + 1);
    if (!post) return NULL;
    memcpy(post->key, key, bytes + 1);
    post->key_bytes = bytes;
    sq_buf_init(&post->labels);
    HASH_ADD_KEYPTR(hh, board->posts, post->key, post->key_bytes, post);
    if (SQ_HASH_ADDED(post)) return post;
    free(post);
    return NULL;
}

static void put_text(struct sq_buf *out, const char *key, const char *text)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

static void put_stat(struct sq_buf *out, const struct sq_notify_alert *alert, const char *name)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", json_number_value(json_object_get(json_object_get(alert->root, "stats"), name)));
    put_text(out, name, text);
}

/* What changes from one transition to the next is an annotation: as a label it would be another alert each time. */
static void write_labels(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    const json_t *example = json_array_get(json_object_get(alert->root, "examples"), 0);
    const char *excerpt = json_string_value(json_object_get(example, "excerpt"));
    sq_buf_clear(out);
    sq_buf_append_text(out, "\"labels\":{");
    put_text(out, "alertname", alert->rule);
    put_text(out, "entity", alert->entity);
    put_text(out, "severity", alert->severity);
    put_text(out, "app", alert->app);
    sq_buf_append_text(out, "},\"annotations\":{");
    put_text(out, "summary", alert->summary);
    put_text(out, "alert_id", alert->alert_id);
    put_stat(out, alert, "count");
    put_stat(out, alert, "matched");
    put_stat(out, alert, "rate");
    put_stat(out, alert, "strength");
    if (excerpt) put_text(out, "example", excerpt);
    sq_buf_append_char(out, '}');
}

/* All severities of the alert but this one have ended; NULL: all. */
static void end_others(struct sq_notify_board *board, const struct sq_notify_alert *alert, const struct post *current, int64_t at_ms)
{
    size_t bytes = strlen(alert->fingerprint);
    for (struct post *post = board->posts; post; post = post->hh.next)
        if (post != current && post->ended_ms == 0 && strncmp(post->key, alert->fingerprint, bytes) == 0 && post->key[bytes] == ' ') post->ended_ms = at_ms;
}

bool sq_notify_board_take(struct sq_notify_board *board, const struct sq_notify_alert *alert, int64_t at_ms)
{
    char key[128];
    if (sq_notify_is_state(alert, "RESOLVED")) {
        end_others(board, alert, NULL, at_ms);
        return true;
    }
    if (!sq_notify_is_wanted(alert)) return true;
    snprintf(key, sizeof key, "%.64s %.32s", alert->fingerprint, alert->severity);
    struct post *post = find_or_add(board, key);
    if (!post) return false;
    if (post->ended_ms || !post->starts_ms) {
        struct sq_str starts = sq_str_view(json_string_value(json_object_get(alert->root, "starts_at")));
        if (!starts.data || !sq_time_text_parse(starts, &post->starts_ms) || post->starts_ms > at_ms) post->starts_ms = at_ms;
    }
    post->ended_ms = 0;
    write_labels(&post->labels, alert);
    end_others(board, alert, post, at_ms);
    return !sq_buf_failed(&post->labels);
}

static void write_post(const struct post *post, int64_t now_ms, int64_t every_ms, struct sq_buf *out)
{
    char starts[SQ_TIME_TEXT_BYTES], ends[SQ_TIME_TEXT_BYTES];
    sq_time_text_format(post->starts_ms, starts);
    sq_time_text_format(post->ended_ms ? post->ended_ms : now_ms + 3 * every_ms, ends);
    sq_buf_append_char(out, '{');
    sq_buf_append_str(out, sq_buf_view(&post->labels));
    sq_buf_printf(out, ",\"startsAt\":\"%s\",\"endsAt\":\"%s\"}", starts, ends);
}

bool sq_notify_board_write(const struct sq_notify_board *board, int64_t now_ms, int64_t every_ms, struct sq_buf *out)
{
    unsigned count = 0;
    for (const struct post *post = board->posts; post; post = post->hh.next) {
        sq_buf_append_char(out, count++ ? ',' : '[');
        write_post(post, now_ms, every_ms, out);
    }
    if (count) sq_buf_append_char(out, ']');
    return count > 0;
}

void sq_notify_board_told(struct sq_notify_board *board, int64_t now_ms)
{
    struct post *post, *next;
    HASH_ITER(hh, board->posts, post, next)
    {
        if (post->ended_ms && post->ended_ms + SQ_NOTIFY_RESOLVED_MS < now_ms) drop(board, post);
    }
}
