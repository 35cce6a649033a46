/* SPDX-License-Identifier: Apache-2.0 */
/* What receivers get, and what their answers do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/sha256.h"
#include "tests/lib/folder.h"
#include "tests/lib/receiver.h"
#include "worker/io/notify_request.h"
#include "worker/io/notify_sender.h"

static struct sq_err err;
static atomic_bool stop;
static const int64_t wall_ms = 1767225660000; /* 2026-01-01T00:01:00Z */

static void write_record(struct sq_buf *out, const char *state, const char *reason, const char *severity, unsigned seq, const char *more)
{
    sq_buf_init(out);
    sq_buf_printf(out,
                  "{\"state\":\"%s\",\"reason\":\"%s\",\"fingerprint\":\"00aa\",\"alert_id\":\"91ab\",\"seq\":%u,\"app\":\"squall\",\"rule\":\"NegativeSpike\","
                  "\"entity\":\"ac\\\"me\",\"severity\":\"%s\",\"summary\":\"41 of 58\",\"starts_at\":\"2026-01-01T00:00:00Z\",\"at\":\"2026-01-01T00:00:30Z\","
                  "\"stats\":{\"count\":58,\"matched\":41,\"rate\":0.706896552,\"strength\":7.9},\"examples\":[{\"excerpt\":\"it broke\"}]%s}",
                  state, reason, seq, severity, more);
}

static struct sq_notify_alert parse(struct sq_buf *record)
{
    struct sq_notify_alert alert;
    if (sq_notify_alert_parse(&alert, sq_buf_view(record), &err)) fail_msg("%s", err.message);
    return alert;
}

/* PagerDuty's body of one transition; NULL: it gets none. */
static json_t *pagerduty(const char *state, const char *reason, bool reopen_pages)
{
    struct sq_buf record, body;
    json_t *root = NULL;
    write_record(&record, state, reason, "critical", 3, "");
    struct sq_notify_alert alert = parse(&record);
    sq_buf_init(&body);
    if (sq_notify_pagerduty(&alert, "key", reopen_pages, &body)) assert_int_equal(sq_json_parse(&root, "body", sq_buf_view(&body), SQ_E_DECODE, &err), 0);
    sq_notify_alert_close(&alert);
    sq_buf_deinit(&record);
    sq_buf_deinit(&body);
    return root;
}

static const char *text_at(const json_t *root, const char *object, const char *key)
{
    return json_string_value(json_object_get(object ? json_object_get(root, object) : root, key));
}

static void pagerduty_gets_events_under_the_fingerprint(void **state)
{
    (void)state;
    static const struct {
        const char *state, *reason, *action, *severity;
        bool reopen_pages;
    } cases[] = {
        {"FIRING", "threshold", "trigger", "critical", false}, {"UPDATED", "severity", "trigger", "critical", false},
        {"UPDATED", "repeat", NULL, NULL, false},              {"UPDATED", "acknowledged", "acknowledge", "critical", false},
        {"RESOLVED", "calm", "resolve", "critical", false},    {"FIRING", "reopen", "trigger", "info", false},
        {"FIRING", "reopen", "trigger", "critical", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *body = pagerduty(cases[i].state, cases[i].reason, cases[i].reopen_pages);
        assert_int_equal(body != NULL, cases[i].action != NULL);
        if (!body) continue;
        assert_string_equal(text_at(body, NULL, "event_action"), cases[i].action);
        assert_string_equal(text_at(body, NULL, "routing_key"), "key");
        assert_string_equal(text_at(body, NULL, "dedup_key"), "00aa");
        assert_string_equal(text_at(body, "payload", "severity"), cases[i].severity);
        assert_string_equal(text_at(body, "payload", "component"), "ac\"me");
        assert_string_equal(text_at(body, "payload", "class"), "NegativeSpike");
        assert_string_equal(text_at(json_object_get(body, "payload"), "custom_details", "example"), "it broke");
        json_decref(body);
    }
}

static void take(struct sq_notify_board *board, const char *state, const char *severity, const char *more, int64_t at_ms)
{
    struct sq_buf record;
    write_record(&record, state, "threshold", severity, 0, more);
    struct sq_notify_alert alert = parse(&record);
    assert_true(sq_notify_board_take(board, &alert, at_ms));
    sq_notify_alert_close(&alert);
    sq_buf_deinit(&record);
}

/* What Alertmanager is told now: how many alerts, and of the one with this severity when it ends ("": it is not among them). */
static size_t told(struct sq_notify_board *board, int64_t now_ms, const char *severity, char ends[64])
{
    struct sq_buf body;
    json_t *list, *item;
    size_t index, count;
    sq_buf_init(&body);
    ends[0] = '\0';
    if (!sq_notify_board_write(board, now_ms, 60000, &body)) return 0;
    list = json_loadb(body.data, body.bytes, 0, NULL);
    assert_non_null(list);
    json_array_foreach(list, index, item)
    {
        assert_string_equal(text_at(item, "labels", "alertname"), "NegativeSpike");
        assert_string_equal(text_at(item, "annotations", "matched"), "41");
        assert_string_equal(text_at(item, NULL, "startsAt"), "2026-01-01T00:00:00Z");
        if (strcmp(text_at(item, "labels", "severity"), severity) == 0) snprintf(ends, 64, "%s", text_at(item, NULL, "endsAt"));
    }
    count = json_array_size(list);
    json_decref(list);
    sq_buf_deinit(&body);
    return count;
}

static void alertmanager_is_told_until_the_end_and_five_minutes_on(void **state)
{
    (void)state;
    struct sq_notify_board *board = sq_notify_board_open();
    char ends[64];
    assert_non_null(board);
    assert_int_equal(told(board, wall_ms, "warning", ends), 0);
    take(board, "FIRING", "warning", "", wall_ms);
    assert_int_equal(told(board, wall_ms, "warning", ends), 1);
    assert_string_equal(ends, "2026-01-01T00:04:00Z"); /* three times `every` from now */
    assert_int_equal(told(board, wall_ms + 60000, "warning", ends), 1);
    assert_string_equal(ends, "2026-01-01T00:05:00Z");

    take(board, "UPDATED", "critical", "", wall_ms + 60000); /* another alert to Alertmanager */
    assert_int_equal(told(board, wall_ms + 60000, "warning", ends), 2);
    assert_string_equal(ends, "2026-01-01T00:02:00Z");
    assert_int_equal(told(board, wall_ms + 60000, "critical", ends), 2);
    assert_string_equal(ends, "2026-01-01T00:05:00Z");

    take(board, "RESOLVED", "critical", "", wall_ms + 120000);
    sq_notify_board_told(board, wall_ms + 120000);
    assert_int_equal(told(board, wall_ms + 300000, "critical", ends), 2);
    assert_string_equal(ends, "2026-01-01T00:03:00Z");
    sq_notify_board_told(board, wall_ms + 120000 + SQ_NOTIFY_RESOLVED_MS + 1);
    assert_int_equal(told(board, wall_ms + 600000, "critical", ends), 0);
    take(board, "FIRING", "warning", ",\"silenced\":true", wall_ms);
    assert_int_equal(told(board, wall_ms, "warning", ends), 0);
    sq_notify_board_close(board);
}

static void records_that_are_none_are_refused(void **state)
{
    (void)state;
    struct sq_notify_alert alert;
    static const char *const records[] = {"", "[]", "{", "{\"state\":1}", "{\"state\":\"FIRING\"}"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        assert_int_equal(sq_notify_alert_parse(&alert, sq_str_view(records[i]), &err), SQ_E_DECODE);
}

/* ---- The receiver's answers ---- */

struct delivery {
    struct sq_receiver to;
    struct test_folder folder;
    struct receiver *receiver;
    struct sq_notify_sender *sender;
};

static void open_delivery(struct delivery *delivery, enum sq_notify_kind kind, const struct receiver_answer *answers, unsigned answers_count)
{
    struct sq_receiver *to = &delivery->to;
    *to = (struct sq_receiver){.name = "r", .type = kind, .every_ms = 60000, .severity = SQ_SEVERITY_WARNING};
    test_folder_init(&delivery->folder);
    test_folder_write(&delivery->folder, "key", SQ_STR("s3cret\n"));
    delivery->receiver = receiver_open(answers, answers_count);
    snprintf(to->url, sizeof to->url, "http://127.0.0.1:%d", receiver_port(delivery->receiver));
    strcpy(to->urls[0], to->url);
    to->urls_count = 1;
    snprintf(to->hmac_key_file, sizeof to->hmac_key_file, "%s/key", delivery->folder.path);
    strcpy(to->routing_key_file, to->hmac_key_file);
    if (sq_notify_sender_open(&delivery->sender, to, &stop, &err)) fail_msg("%s", err.message);
}

static void close_delivery(struct delivery *delivery)
{
    sq_notify_sender_close(delivery->sender);
    receiver_close(delivery->receiver);
    test_folder_deinit(&delivery->folder);
}

static bool take_record(struct delivery *delivery, const char *state, const char *reason, unsigned seq)
{
    struct sq_buf record;
    write_record(&record, state, reason, "critical", seq, "");
    bool taken = sq_notify_sender_take(delivery->sender, sq_buf_view(&record), wall_ms);
    sq_buf_deinit(&record);
    return taken;
}

static void a_webhook_is_signed_and_named(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 204}};
    struct delivery delivery;
    int64_t wait_ms;
    open_delivery(&delivery, SQ_NOTIFY_WEBHOOK, answers, 1);
    assert_true(take_record(&delivery, "FIRING", "threshold", 7));
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_DELIVERED);
    assert_int_equal(receiver_count(delivery.receiver), 1);
    const char *request = receiver_request(delivery.receiver, 0), *body = strstr(request, "\r\n\r\n") + 4;
    char hex[SQ_SHA256_HEX_BYTES], signature[128];
    sq_hmac_sha256_hex(SQ_STR("s3cret"), sq_str_view(body), hex);
    snprintf(signature, sizeof signature, "X-Squall-Signature: sha256=%s\r\n", hex);
    assert_non_null(strstr(request, signature));
    assert_non_null(strstr(request, "Idempotency-Key: 91ab-7\r\n"));
    assert_non_null(strstr(request, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(body, "\"entity\":\"ac\\\"me\""));
    assert_null(strstr(request, "s3cret"));
    close_delivery(&delivery);
}

/* Whatever the receiver says but 2xx and "never", the same request comes again, under the same name, after longer and longer waits. */
static void a_receiver_in_trouble_is_tried_again(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 500}, {.status = 0}, {.status = 503}, {.status = 429, .header = "Retry-After: 7"}, {.status = 302}, {.status = 200}};
    struct delivery delivery;
    int64_t wait_ms;
    open_delivery(&delivery, SQ_NOTIFY_PAGERDUTY, answers, 6);
    assert_true(take_record(&delivery, "FIRING", "threshold", 0));
    static const int64_t whole_ms[] = {500, 1000, 2000, 4000, 8000};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_RETRIED);
        assert_in_range(wait_ms, i == 3 ? 7000 : whole_ms[i] / 2 - 1, i == 3 ? 7000 : whole_ms[i]);
    }
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_DELIVERED);
    assert_int_equal(receiver_count(delivery.receiver), 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_non_null(strstr(receiver_request(delivery.receiver, i), "Idempotency-Key: 91ab-0\r\n"));
        assert_string_equal(strstr(receiver_request(delivery.receiver, i), "\r\n\r\n"), strstr(receiver_request(delivery.receiver, 0), "\r\n\r\n"));
    }
    assert_int_equal(sq_notify_sender_count(delivery.sender, SQ_NOTIFY_RETRIED), 5);
    assert_int_equal(sq_notify_sender_count(delivery.sender, SQ_NOTIFY_DELIVERED), 1);
    close_delivery(&delivery);
}

static void what_is_refused_for_good_is_given_up(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 400}, {.status = 200}};
    struct delivery delivery;
    int64_t wait_ms;
    open_delivery(&delivery, SQ_NOTIFY_PAGERDUTY, answers, 2);
    assert_true(take_record(&delivery, "FIRING", "threshold", 0));
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_REJECTED);
    assert_false(take_record(&delivery, "UPDATED", "repeat", 1)); /* none of PagerDuty's business */
    assert_true(take_record(&delivery, "RESOLVED", "calm", 2));
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_DELIVERED);
    assert_int_equal(sq_notify_sender_count(delivery.sender, SQ_NOTIFY_SKIPPED), 1);
    close_delivery(&delivery);
}

static void one_member_of_a_cluster_is_enough(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 200}};
    struct delivery delivery;
    int64_t wait_ms;
    open_delivery(&delivery, SQ_NOTIFY_ALERTMANAGER, answers, 1);
    struct receiver *closed = receiver_open(answers, 1);
    snprintf(delivery.to.urls[1], 64, "http://127.0.0.1:%d", receiver_port(closed));
    receiver_close(closed);
    delivery.to.urls_count = 2;
    assert_true(take_record(&delivery, "FIRING", "threshold", 0));
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_DELIVERED);
    assert_int_equal(strncmp(receiver_request(delivery.receiver, 0), "POST /api/v2/alerts ", 20), 0);
    sq_notify_sender_refresh(delivery.sender, wall_ms + 59999);
    assert_int_equal(receiver_count(delivery.receiver), 1);
    sq_notify_sender_refresh(delivery.sender, wall_ms + 60000);
    assert_int_equal(receiver_count(delivery.receiver), 2);
    close_delivery(&delivery);
}

static void a_post_ends_when_the_worker_stops(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 200, .delay_ms = 1500}};
    struct delivery delivery;
    int64_t wait_ms;
    open_delivery(&delivery, SQ_NOTIFY_WEBHOOK, answers, 1);
    assert_true(take_record(&delivery, "FIRING", "threshold", 0));
    atomic_store(&stop, true);
    assert_int_equal(sq_notify_sender_try(delivery.sender, wall_ms, &wait_ms), SQ_NOTIFY_RETRIED);
    atomic_store(&stop, false);
    close_delivery(&delivery);
}

static void a_secret_that_is_not_there_is_told(void **state)
{
    (void)state;
    static const struct sq_receiver to = {.name = "night", .type = SQ_NOTIFY_PAGERDUTY, .routing_key_file = "/nonexistent/key"};
    struct sq_notify_sender *sender;
    assert_int_equal(sq_notify_sender_open(&sender, &to, &stop, &err), SQ_E_CONFIG);
    assert_non_null(strstr(err.message, "notify.night.routing_key_file: /nonexistent/key"));
}

/* The record is a critical one of NegativeSpike. */
static void a_receiver_may_want_some_rules_and_severities_alone(void **state)
{
    (void)state;
    static const struct receiver_answer answers[] = {{.status = 200}};
    static const struct {
        const char *rules[2];
        enum sq_severity severity;
        bool is_told;
    } cases[] = {
        {{NULL}, SQ_SEVERITY_CRITICAL, true},           {{"Volume*"}, SQ_SEVERITY_INFO, false},
        {{"Negative*"}, SQ_SEVERITY_INFO, true},        {{"Volume*", "NegativeSpike"}, SQ_SEVERITY_ERROR, true},
    };
    struct delivery delivery;
    open_delivery(&delivery, SQ_NOTIFY_WEBHOOK, answers, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        delivery.to.severity = cases[i].severity;
        delivery.to.rules_count = 0;
        for (unsigned rule = 0; rule < 2 && cases[i].rules[rule]; rule++) strcpy(delivery.to.rules[delivery.to.rules_count++], cases[i].rules[rule]);
        assert_int_equal(take_record(&delivery, "FIRING", "threshold", 0), cases[i].is_told);
    }
    struct sq_buf record;
    write_record(&record, "FIRING", "threshold", "warning", 0, "");
    delivery.to.rules_count = 0;
    delivery.to.severity = SQ_SEVERITY_CRITICAL;
    assert_false(sq_notify_sender_take(delivery.sender, sq_buf_view(&record), wall_ms));
    sq_buf_deinit(&record);
    close_delivery(&delivery);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pagerduty_gets_events_under_the_fingerprint),
        cmocka_unit_test(alertmanager_is_told_until_the_end_and_five_minutes_on),
        cmocka_unit_test(records_that_are_none_are_refused),
        cmocka_unit_test(a_webhook_is_signed_and_named),
        cmocka_unit_test(a_receiver_in_trouble_is_tried_again),
        cmocka_unit_test(what_is_refused_for_good_is_given_up),
        cmocka_unit_test(one_member_of_a_cluster_is_enough),
        cmocka_unit_test(a_post_ends_when_the_worker_stops),
        cmocka_unit_test(a_secret_that_is_not_there_is_told),
        cmocka_unit_test(a_receiver_may_want_some_rules_and_severities_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
