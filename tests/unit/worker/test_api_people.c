/* SPDX-License-Identifier: Apache-2.0 */
/* Who says something of an alert is told "done" when it is in the log, and not before. The stage and the HTTP calls are made up here: the
 * test says what becomes of a commit, and sees when a call is answered, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "worker/io/log.h"
#include "worker/pipeline/api_people.h"
#include "worker/pipeline/api_people_json.h"

/* ---- a call ---- */

struct sq_http_call {
    const char *name;
    unsigned status; /* 0: not answered */
    char body[512];
};

const char *sq_http_call_name(const struct sq_http_call *call) { return call->name; }

void sq_http_call_answer(struct sq_http_call *call, unsigned status, const char *type, struct sq_buf *body)
{
    assert_int_equal(call->status, 0);
    assert_string_equal(type, "application/json");
    call->status = status;
    snprintf(call->body, sizeof call->body, "%.*s", (int)body->bytes, body->data);
    sq_buf_deinit(body);
}

void sq_http_call_refuse(struct sq_http_call *call, unsigned status, const char *type, const char *message)
{
    (void)type;
    assert_int_equal(call->status, 0);
    call->status = status;
    snprintf(call->body, sizeof call->body, "%s", message);
}

/* ---- a stage with four partitions ---- */

#define ALERT "0000000000000abc"
enum { PARTITIONS = 4, ALERT_ID = 0xabc, SILENCE_ID = 0xaa };

struct sq_alert_stage {
    struct sq_receipts *receipts[PARTITIONS]; /* what waits for their commits */
    unsigned owned, restoring;  /* partitions of PARTITIONS; restoring: of the owned ones */
    bool keeps_state;
} stage;

static unsigned change(unsigned partitions, struct sq_receipt *receipt)
{
    for (unsigned i = 0; i < partitions && stage.keeps_state; i++) sq_receipts_add(&stage.receipts[i], receipt);
    return partitions;
}

static void settle(unsigned from, unsigned to, bool are_saved)
{
    for (unsigned i = from; i < to; i++) sq_receipts_settle(&stage.receipts[i], are_saved);
}

struct sq_alert_coverage sq_alert_stage_coverage(const struct sq_alert_stage *of)
{
    return (struct sq_alert_coverage){.partition = -1, .partitions = PARTITIONS, .owned = of->owned, .covered = of->owned - of->restoring};
}

int sq_alert_stage_acknowledge(struct sq_alert_stage *of, uint64_t alert_id, struct sq_receipt *receipt, bool *found, struct sq_err *err)
{
    (void)of;
    (void)err;
    *found = alert_id == ALERT_ID;
    if (*found) change(1, receipt);
    return 0;
}

int sq_alert_stage_silence(struct sq_alert_stage *of, const struct sq_silence *silence, struct sq_receipt *receipt,
                           struct sq_alert_coverage *coverage, struct sq_err *err)
{
    if (strcmp(silence->by, "too many") == 0) return sq_err_set(err, SQ_E_FULL, "full");
    *coverage = sq_alert_stage_coverage(of);
    if (strcmp(silence->entity, "theirs") == 0) *coverage = (struct sq_alert_coverage){.partition = 3, .partitions = 1};
    coverage->covered = change(coverage->owned, receipt);
    return 0;
}

struct sq_alert_coverage sq_alert_stage_unsilence(struct sq_alert_stage *of, uint64_t id, struct sq_receipt *receipt)
{
    struct sq_alert_coverage coverage = sq_alert_stage_coverage(of);
    coverage.covered = id == SILENCE_ID ? change(of->owned, receipt) : 0;
    return coverage;
}

void sq_alert_stage_silences(const struct sq_alert_stage *of, sq_alert_silence_fn each, void *ctx)
{
    (void)of;
    (void)each;
    (void)ctx;
}

/* ---- the clock ---- */

static uint64_t now_ns = 1;
uint64_t sq_clock_monotonic_ns(void) { return now_ns; }
int64_t sq_clock_wall_ms(void) { return INT64_C(1700000000000); }
uint64_t sq_clock_thread_cpu_ns(void) { return now_ns; }

/* ---- tests ---- */

static struct sq_api_people *open_people(unsigned owned, bool keeps_state)
{
    stage = (struct sq_alert_stage){.owned = owned, .keeps_state = keeps_state};
    struct sq_api_people *people = sq_api_people_open(&stage);
    assert_non_null(people);
    return people;
}

static struct sq_http_call call_of(const char *name) { return (struct sq_http_call){.name = name}; }

static void acknowledge(struct sq_api_people *people, struct sq_http_call *call)
{
    sq_api_people_acknowledge(people, call, SQ_STR("{\"by\":\"kim\",\"comment\":\"on it\"}"));
}

static void silence(struct sq_api_people *people, struct sq_http_call *call)
{
    sq_api_people_silence(people, call, SQ_STR("{\"entity\":\"*\",\"duration\":\"2h\",\"by\":\"kim\",\"id\":\"00000000000000aa\"}"));
}

static void an_answer_waits_for_the_commit(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, true);
    struct sq_http_call ack = call_of(ALERT), put = call_of(""), end = call_of("00000000000000aa");
    acknowledge(people, &ack);
    silence(people, &put);
    sq_api_people_unsilence(people, &end);
    sq_api_people_tick(people);
    assert_int_equal(ack.status + put.status + end.status, 0);
    settle(0, PARTITIONS, true);
    assert_int_equal(ack.status, 200);
    assert_string_equal(ack.body, "{\"id\":\"0000000000000abc\",\"saved\":true}\n");
    assert_int_equal(put.status, 200);
    assert_string_equal(put.body, "{\"id\":\"00000000000000aa\",\"covered\":4,\"partitions\":4,\"saved\":true}\n");
    assert_int_equal(end.status, 200);
    sq_api_people_close(people);
}

static void what_takes_long_is_answered_as_not_safe_yet(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, true);
    struct sq_http_call ack = call_of(ALERT);
    acknowledge(people, &ack);
    now_ns += (SQ_API_SAVE_WAIT_MS - 1) * UINT64_C(1000000);
    sq_api_people_tick(people);
    assert_int_equal(ack.status, 0);
    now_ns += UINT64_C(1000000);
    sq_api_people_tick(people);
    assert_int_equal(ack.status, 202);
    assert_string_equal(ack.body, "{\"id\":\"0000000000000abc\",\"saved\":false}\n");
    sq_api_people_tick(people);
    settle(0, PARTITIONS, true); /* and is not answered again */
    sq_api_people_close(people);
}

static void a_partition_lost_before_the_commit_is_no_success(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, true);
    struct sq_http_call ack = call_of(ALERT);
    acknowledge(people, &ack);
    settle(0, PARTITIONS, false);
    assert_int_equal(ack.status, 503);
    assert_non_null(strstr(ack.body, "say it again"));
    sq_api_people_close(people);
}

static void partitions_lost_meanwhile_are_not_covered(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(3, true);
    struct sq_http_call put = call_of("");
    silence(people, &put);
    settle(0, 1, false);
    assert_int_equal(put.status, 0);
    settle(0, PARTITIONS, true);
    assert_int_equal(put.status, 200);
    assert_non_null(strstr(put.body, "\"covered\":2,\"partitions\":4"));
    sq_api_people_close(people);
}

static void without_a_state_nothing_is_waited_for(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, false);
    struct sq_http_call ack = call_of(ALERT);
    acknowledge(people, &ack);
    assert_int_equal(ack.status, 200);
    assert_string_equal(ack.body, "{\"id\":\"0000000000000abc\",\"saved\":false}\n");
    sq_api_people_close(people);
}

static void what_can_not_be_done_is_refused_at_once(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, true);
    const struct {
        const char *body;
        unsigned status;
    } silences[] = {
        {"[]", 400}, {"{\"entity\":\"*\",\"by\":\"kim\"}", 400}, {"{\"entity\":\"*\",\"duration\":\"2h\",\"by\":\"too many\"}", 409},
        {"{\"entity\":\"theirs\",\"duration\":\"2h\",\"by\":\"kim\"}", 421},
    };
    struct sq_http_call no_id = call_of("abc");
    for (size_t i = 0; i < sizeof silences / sizeof *silences; i++) {
        struct sq_http_call put = call_of("");
        sq_api_people_silence(people, &put, sq_str_view(silences[i].body));
        assert_int_equal(put.status, silences[i].status);
    }
    acknowledge(people, &no_id);
    assert_int_equal(no_id.status, 404);
    sq_api_people_close(people);
}

static unsigned status_of_unknown(unsigned owned, unsigned restoring)
{
    struct sq_api_people *people = open_people(owned, true);
    struct sq_http_call ack = call_of("0000000000000def"), end = call_of("0000000000000def");
    stage.restoring = restoring;
    acknowledge(people, &ack);
    sq_api_people_unsilence(people, &end);
    assert_int_equal(ack.status, end.status);
    sq_api_people_close(people);
    return ack.status;
}

static void what_is_unknown_here_may_be_known_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(status_of_unknown(PARTITIONS, 0), 404);
    assert_int_equal(status_of_unknown(PARTITIONS, 1), 503);
    assert_int_equal(status_of_unknown(PARTITIONS - 1, 0), 421);
    assert_int_equal(status_of_unknown(0, 0), 421);
}

static void who_waits_when_the_worker_stops_is_told(void **state)
{
    (void)state;
    struct sq_api_people *people = open_people(4, true);
    struct sq_http_call ack = call_of(ALERT), put = call_of("");
    acknowledge(people, &ack);
    silence(people, &put);
    sq_api_people_close(people);
    assert_int_equal(ack.status, 503);
    assert_int_equal(put.status, 503);
    settle(0, PARTITIONS, false); /* the stage ends after the API */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_waits_for_the_commit),
        cmocka_unit_test(what_takes_long_is_answered_as_not_safe_yet),
        cmocka_unit_test(a_partition_lost_before_the_commit_is_no_success),
        cmocka_unit_test(partitions_lost_meanwhile_are_not_covered),
        cmocka_unit_test(without_a_state_nothing_is_waited_for),
        cmocka_unit_test(what_can_not_be_done_is_refused_at_once),
        cmocka_unit_test(what_is_unknown_here_may_be_known_elsewhere),
        cmocka_unit_test(who_waits_when_the_worker_stops_is_told),
    };
    sq_log_set(SQ_LOG_ERROR, SQ_LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
