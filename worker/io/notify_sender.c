/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/notify_sender.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/sha256.h"
#include "worker/core/glob.h"
#include "worker/io/poster.h"
#include "worker/io/log.h"
#include "worker/io/notify_request.h"
#include "worker/io/secret.h"

enum { HEADER_BYTES = 160, URL_BYTES = SQ_CONFIG_PATH_BYTES + 32 };

struct sq_notify_sender {
    const struct sq_receiver *to;
    const struct kind *kind;
    struct sq_poster *poster;
    struct sq_buf secret;
    struct sq_notify_board *board; /* alertmanager */
    struct sq_buf body;            /* of what was taken; an empty one: nothing is */
    char id[64];                   /* Idempotency-Key */
    unsigned tries;
    uint64_t random;
    int64_t refreshed_ms;
    struct sq_log_limit limit;
    _Atomic uint64_t counts[SQ_NOTIFY_RESULTS_COUNT];
};

/* What differs from kind to kind. */
struct kind {
    const char *secret_key;        /* the key that names the secret's file */
    const char *(*secret_file)(const struct sq_receiver *to);
    bool (*prepare)(struct sq_notify_sender *sender, const struct sq_notify_alert *alert, int64_t at_ms);
    enum sq_notify_result (*send)(struct sq_notify_sender *sender, int64_t now_ms, struct sq_post_answer *answer);
};

/* ---- One post ---- */

static enum sq_notify_result result_of(const struct sq_post_answer *answer)
{
    if (answer->status >= 200 && answer->status < 300) return SQ_NOTIFY_DELIVERED;
    return answer->status == 400 || answer->status == 413 || answer->status == 422 ? SQ_NOTIFY_REJECTED : SQ_NOTIFY_RETRIED;
}

static enum sq_notify_result post(struct sq_notify_sender *sender, const char *url, const char *signature, struct sq_post_answer *answer)
{
    char key[HEADER_BYTES];
    snprintf(key, sizeof key, "Idempotency-Key: %s", sender->id);
    const struct sq_post request = {.url = url, .headers = {"Content-Type: application/json", key, signature}, .body = sq_buf_view(&sender->body)};
    sq_poster_send(sender->poster, &request, answer);
    return result_of(answer);
}

/* ---- webhook ---- */

static const char *webhook_secret(const struct sq_receiver *to) { return to->hmac_key_file; }

static bool prepare_record(struct sq_notify_sender *sender, const struct sq_notify_alert *alert, int64_t at_ms)
{
    (void)at_ms;
    char *text = json_dumps(alert->root, JSON_COMPACT);
    if (!text) return false;
    sq_buf_append_text(&sender->body, text);
    free(text);
    return true;
}

static enum sq_notify_result send_webhook(struct sq_notify_sender *sender, int64_t now_ms, struct sq_post_answer *answer)
{
    (void)now_ms;
    char hex[SQ_SHA256_HEX_BYTES], signature[HEADER_BYTES];
    sq_hmac_sha256_hex(sq_buf_view(&sender->secret), sq_buf_view(&sender->body), hex);
    snprintf(signature, sizeof signature, "X-Squall-Signature: sha256=%s", hex);
    return post(sender, sender->to->url, sender->secret.bytes ? signature : NULL, answer);
}

/* ---- pagerduty ---- */

static const char pagerduty_url[] = "https://events.pagerduty.com/v2/enqueue";

static const char *pagerduty_secret(const struct sq_receiver *to) { return to->routing_key_file; }

static bool prepare_event(struct sq_notify_sender *sender, const struct sq_notify_alert *alert, int64_t at_ms)
{
    (void)at_ms;
    return sq_notify_pagerduty(alert, sender->secret.data, sender->to->reopen == SQ_REOPEN_PAGE, &sender->body);
}

static enum sq_notify_result send_pagerduty(struct sq_notify_sender *sender, int64_t now_ms, struct sq_post_answer *answer)
{
    (void)now_ms;
    return post(sender, sender->to->url[0] ? sender->to->url : pagerduty_url, NULL, answer);
}

/* ---- alertmanager ---- */

static bool prepare_board(struct sq_notify_sender *sender, const struct sq_notify_alert *alert, int64_t at_ms)
{
    if (!sq_notify_board_take(sender->board, alert, at_ms)) return false;
    sq_buf_append_text(&sender->body, "[]"); /* written anew at each try */
    return true;
}

/* All of a cluster are told; they sort copies out among themselves. One that takes it is enough. */
static enum sq_notify_result send_board(struct sq_notify_sender *sender, int64_t now_ms, struct sq_post_answer *answer)
{
    const struct sq_receiver *to = sender->to;
    enum sq_notify_result best = SQ_NOTIFY_RETRIED;
    sq_buf_clear(&sender->body);
    if (!sq_notify_board_write(sender->board, now_ms, to->every_ms, &sender->body)) return SQ_NOTIFY_DELIVERED;
    for (unsigned i = 0; i < to->urls_count; i++) {
        char url[URL_BYTES];
        struct sq_post_answer one;
        snprintf(url, sizeof url, "%s/api/v2/alerts", to->urls[i]);
        enum sq_notify_result result = post(sender, url, NULL, &one);
        if (i == 0 || result == SQ_NOTIFY_DELIVERED) *answer = one;
        if (result == SQ_NOTIFY_DELIVERED || (result == SQ_NOTIFY_REJECTED && best == SQ_NOTIFY_RETRIED)) best = result;
    }
    if (best == SQ_NOTIFY_DELIVERED) {
        sq_notify_board_told(sender->board, now_ms);
        sender->refreshed_ms = now_ms;
    }
    return best;
}

static const struct kind kinds[SQ_NOTIFY_COUNT] = {
    [SQ_NOTIFY_ALERTMANAGER] = {NULL, NULL, prepare_board, send_board},
    [SQ_NOTIFY_PAGERDUTY] = {"routing_key_file", pagerduty_secret, prepare_event, send_pagerduty},
    [SQ_NOTIFY_WEBHOOK] = {"hmac_key_file", webhook_secret, prepare_record, send_webhook},
};

/* ---- Open and close ---- */

static int open_parts(struct sq_notify_sender *sender, const atomic_bool *stop, struct sq_err *err)
{
    char key[SQ_CONFIG_NAME_BYTES + 64];
    const char *file = sender->kind->secret_file ? sender->kind->secret_file(sender->to) : "";
    snprintf(key, sizeof key, "notify.%s.%s", sender->to->name, sender->kind->secret_key ? sender->kind->secret_key : "");
    int status = *file ? sq_secret_read(&sender->secret, key, file, err) : 0;
    if (status) return status;
    sender->board = sq_notify_board_open();
    return sender->board ? sq_poster_open(&sender->poster, stop, err) : sq_err_set(err, SQ_E_NOMEM, "no memory to deliver alerts");
}

int sq_notify_sender_open(struct sq_notify_sender **out, const struct sq_receiver *to, const atomic_bool *stop, struct sq_err *err)
{
    *out = NULL;
    struct sq_notify_sender *sender = calloc(1, sizeof *sender);
    if (!sender) return sq_err_set(err, SQ_E_NOMEM, "no memory to deliver alerts");
    sender->to = to;
    sender->kind = &kinds[to->type];
    sender->random = (uint64_t)(uintptr_t)sender;
    sq_buf_init(&sender->secret);
    sq_buf_init(&sender->body);
    int status = open_parts(sender, stop, err);
    if (status) sq_notify_sender_close(sender);
    else *out = sender;
    return status;
}

void sq_notify_sender_close(struct sq_notify_sender *sender)
{
    if (!sender) return;
    sq_poster_close(sender->poster);
    sq_notify_board_close(sender->board);
    sq_buf_deinit(&sender->secret);
    sq_buf_deinit(&sender->body);
    free(sender);
}

/* ---- Records ---- */

static void count(struct sq_notify_sender *sender, enum sq_notify_result result) { atomic_fetch_add_explicit(&sender->counts[result], 1, memory_order_relaxed); }

uint64_t sq_notify_sender_count(const struct sq_notify_sender *sender, enum sq_notify_result result)
{
    return atomic_load_explicit(&sender->counts[result], memory_order_relaxed);
}

/* A record that is none can't be delivered by anyone: it is counted and passed over. */
static bool parse(struct sq_notify_sender *sender, struct sq_notify_alert *alert, struct sq_str value)
{
    struct sq_err err;
    if (sq_notify_alert_parse(alert, value, &err) == 0) return true;
    sq_log(SQ_LOG_WARN, SQ_L("a record of the alerts' topic is no alert"), SQ_LS("sink", sender->to->name), SQ_LS("why", err.message));
    return false;
}

/* Whether this receiver is to be told of such a transition. */
static bool is_for(const struct sq_receiver *to, const struct sq_notify_alert *alert)
{
    static const char *const severities[] = {"info", "warning", "error", "critical"};
    bool is_severe = false, is_of_rule = to->rules_count == 0;
    for (unsigned i = to->severity; i < sizeof severities / sizeof *severities; i++) is_severe = is_severe || strcmp(alert->severity, severities[i]) == 0;
    for (unsigned i = 0; i < to->rules_count; i++) is_of_rule = is_of_rule || sq_glob_matches(to->rules[i], sq_str_view(alert->rule));
    return is_severe && is_of_rule;
}

bool sq_notify_sender_take(struct sq_notify_sender *sender, struct sq_str value, int64_t at_ms)
{
    struct sq_notify_alert alert;
    sq_buf_clear(&sender->body);
    sender->tries = 0;
    bool is_taken = parse(sender, &alert, value);
    if (is_taken) {
        sq_notify_id(&alert, sender->id);
        is_taken = is_for(sender->to, &alert) && sq_notify_is_wanted(&alert) && sender->kind->prepare(sender, &alert, at_ms);
        sq_notify_alert_close(&alert);
    }
    if (!is_taken) count(sender, SQ_NOTIFY_SKIPPED);
    return is_taken;
}

void sq_notify_sender_remember(struct sq_notify_sender *sender, struct sq_str value, int64_t at_ms)
{
    struct sq_notify_alert alert;
    if (sender->to->type != SQ_NOTIFY_ALERTMANAGER || !parse(sender, &alert, value)) return;
    if (is_for(sender->to, &alert)) sq_notify_board_take(sender->board, &alert, at_ms);
    sq_notify_alert_close(&alert);
}

/* Twice as long each time, less a random half. https://en.wikipedia.org/wiki/Xorshift */
static int64_t backoff_ms(struct sq_notify_sender *sender)
{
    int64_t whole = SQ_NOTIFY_BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < sender->tries && whole < SQ_NOTIFY_BACKOFF_MAX_MS; i++) whole *= 2;
    if (whole > SQ_NOTIFY_BACKOFF_MAX_MS) whole = SQ_NOTIFY_BACKOFF_MAX_MS;
    sender->random ^= sender->random << 13;
    sender->random ^= sender->random >> 7;
    sender->random ^= sender->random << 17;
    return whole - (int64_t)(sender->random % (uint64_t)(whole / 2 + 1));
}

enum sq_notify_result sq_notify_sender_try(struct sq_notify_sender *sender, int64_t now_ms, int64_t *wait_ms)
{
    struct sq_post_answer answer = {.retry_after_ms = -1};
    enum sq_notify_result result = sender->kind->send(sender, now_ms, &answer);
    uint64_t suppressed = 0;
    count(sender, result);
    sender->tries++;
    *wait_ms = 0;
    if (result != SQ_NOTIFY_DELIVERED && sq_log_allow(&sender->limit, 5000, &suppressed))
        sq_log(SQ_LOG_WARN, SQ_L(result == SQ_NOTIFY_REJECTED ? "alert given up: the receiver refuses it" : "alert not delivered: it is tried again"),
               SQ_LS("sink", sender->to->name), SQ_LS("id", sender->id), SQ_LS("why", answer.why), SQ_LI("tries", sender->tries),
               SQ_LI("suppressed", suppressed));
    if (result != SQ_NOTIFY_RETRIED) {
        sq_buf_clear(&sender->body);
        return result;
    }
    *wait_ms = backoff_ms(sender);
    if (answer.retry_after_ms > *wait_ms) *wait_ms = answer.retry_after_ms;
    if (*wait_ms > SQ_NOTIFY_RETRY_AFTER_MAX_MS) *wait_ms = SQ_NOTIFY_RETRY_AFTER_MAX_MS;
    return result;
}

void sq_notify_sender_drop(struct sq_notify_sender *sender)
{
    sq_buf_clear(&sender->body);
    sq_notify_board_clear(sender->board);
}

void sq_notify_sender_refresh(struct sq_notify_sender *sender, int64_t now_ms)
{
    struct sq_post_answer answer = {.retry_after_ms = -1};
    if (sender->to->type != SQ_NOTIFY_ALERTMANAGER || now_ms - sender->refreshed_ms < sender->to->every_ms) return;
    sender->refreshed_ms = now_ms; /* after a failure too: the next one comes in time */
    snprintf(sender->id, sizeof sender->id, "refresh");
    send_board(sender, now_ms, &answer);
    sq_buf_clear(&sender->body);
}
