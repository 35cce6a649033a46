/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/api_people.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "worker/io/log.h"
#include "worker/pipeline/api_people_json.h"

static const char no_id[] = "not found: an id is 16 hexadecimal digits";
static const char lost[] = "the partition went to another worker before this was saved: say it again";

/* Something that was said, from the call to its commit. It outlives its answer, and the API, as the stage still knows its receipt. */
struct saying {
    struct sq_receipt receipt; /* first */
    struct saying *next, *previous; /* of its API's */
    struct sq_api_people *people;   /* NULL: closed */
    struct sq_http_call *call;      /* NULL: answered */
    uint64_t id, deadline_ns;
    struct sq_alert_coverage coverage; /* of silences */
};

struct sq_api_people {
    struct sq_alert_stage *stage;
    struct saying *sayings;
};

/* ---- sayings ---- */

static void forget(struct saying *saying)
{
    if (saying->next) saying->next->previous = saying->previous;
    if (saying->previous) saying->previous->next = saying->next;
    else if (saying->people) saying->people->sayings = saying->next;
    free(saying);
}

/* As far as it is known by now. */
static void answer(struct saying *saying)
{
    const struct sq_receipt *receipt = &saying->receipt;
    struct sq_http_call *call = saying->call;
    struct sq_buf body;
    saying->call = NULL;
    if (!receipt->waiting && receipt->lost && !receipt->saved) {
        sq_http_call_refuse(call, 503, "Unhealthy", lost);
        return;
    }
    if (!receipt->waiting && receipt->lost) saying->coverage.covered = receipt->saved;
    sq_buf_init(&body);
    sq_api_write_outcome(saying->id, &saying->coverage, !receipt->waiting && receipt->saved, &body);
    sq_http_call_answer(call, receipt->waiting ? 202 : 200, "application/json", &body);
}

static void on_settled(struct sq_receipt *receipt)
{
    struct saying *saying = (struct saying *)receipt;
    if (saying->call) answer(saying);
    forget(saying);
}

/* NULL: no memory, and the call is answered. */
static struct saying *hear(struct sq_api_people *people, struct sq_http_call *call, uint64_t id)
{
    struct saying *saying = calloc(1, sizeof *saying);
    if (!saying) {
        sq_http_call_refuse(call, 503, "Overloaded", "no memory for the request");
        return NULL;
    }
    *saying = (struct saying){.receipt = {.settled = on_settled}, .next = people->sayings, .people = people, .call = call, .id = id,
                              .deadline_ns = sq_clock_monotonic_ns() + SQ_API_SAVE_WAIT_MS * UINT64_C(1000000)};
    if (people->sayings) people->sayings->previous = saying;
    people->sayings = saying;
    return saying;
}

/* It took effect: its answer comes with the commit, or now where nothing is to be waited for. */
static void take(struct saying *saying)
{
    if (!saying->receipt.waiting) on_settled(&saying->receipt);
}

static void refuse(struct saying *saying, unsigned status, const char *type, const char *message)
{
    sq_http_call_refuse(saying->call, status, type, message);
    forget(saying);
}

/* No partition that could be asked has it. Another one may, unless this worker owns all of them and can ask all it owns. */
static void refuse_unknown(const struct sq_api_people *people, struct sq_http_call *call, const char *what)
{
    struct sq_alert_coverage coverage = {0};
    char why[256];
    if (people->stage) coverage = sq_alert_stage_coverage(people->stage);
    if (coverage.partitions && coverage.covered == coverage.partitions) {
        snprintf(why, sizeof why, "not found: no %s has this id", what);
        sq_http_call_refuse(call, 404, "NotFound", why);
    } else if (coverage.covered < coverage.owned) {
        sq_http_call_refuse(call, 503, "Unhealthy", "not found, but partitions are being restored or given away: again in a moment");
    } else {
        snprintf(why, sizeof why, "not found in the %u of %u partitions that this worker owns: ask the other workers (squall alerts takes --url more than once)",
                 coverage.owned, coverage.partitions);
        sq_http_call_refuse(call, 421, "Misdirected", why);
    }
}

/* ---- acknowledging ---- */

static void acknowledge(struct saying *saying, const struct sq_acknowledgement *said)
{
    struct sq_err err;
    bool found;
    if (sq_alert_stage_acknowledge(saying->people->stage, saying->id, &saying->receipt, &found, &err)) {
        refuse(saying, 503, "Unhealthy", err.message);
    } else if (!found) {
        refuse_unknown(saying->people, saying->call, "open alert");
        forget(saying);
    } else {
        sq_log(SQ_LOG_INFO, SQ_L("alert acknowledged"), SQ_LS("alert_id", sq_http_call_name(saying->call)), SQ_LS("by", said->by),
               SQ_LS("comment", said->comment));
        take(saying);
    }
}

void sq_api_people_acknowledge(struct sq_api_people *people, struct sq_http_call *call, struct sq_str body)
{
    struct sq_acknowledgement said;
    struct saying *saying;
    struct sq_err err;
    uint64_t id;
    if (sq_api_read_acknowledgement(body, &said, &err)) sq_http_call_refuse(call, 400, "Validation", err.message);
    else if (!sq_api_parse_id(sq_http_call_name(call), &id)) sq_http_call_refuse(call, 404, "NotFound", no_id);
    else if (!people->stage) refuse_unknown(people, call, "open alert");
    else if ((saying = hear(people, call, id))) acknowledge(saying, &said);
}

/* ---- silences ---- */

/* No partition took it. */
static void refuse_silence(struct saying *saying, const char *entity)
{
    const struct sq_alert_coverage *coverage = &saying->coverage;
    char why[SQ_RULE_TEXT_BYTES + 192];
    if (coverage->owned || coverage->partition < 0) {
        refuse(saying, 503, "Unhealthy", coverage->owned ? "partitions are being restored or given away: again in a moment"
                                                         : "this worker owns no partition of the scores: ask another one");
        return;
    }
    snprintf(why, sizeof why, "the scores of '%s' are in partition %d, which another worker owns: say it to that one (squall alerts takes --url more than once)",
             entity, (int)coverage->partition);
    refuse(saying, 421, "Misdirected", why);
}

void sq_api_people_silence(struct sq_api_people *people, struct sq_http_call *call, struct sq_str body)
{
    struct sq_silence silence;
    struct sq_err err;
    if (sq_api_read_silence(body, &silence, &err)) {
        sq_http_call_refuse(call, 400, "Validation", err.message);
        return;
    }
    struct saying *saying = hear(people, call, silence.id);
    if (!saying) return;
    saying->coverage.partition = -1;
    int status = people->stage ? sq_alert_stage_silence(people->stage, &silence, &saying->receipt, &saying->coverage, &err) : 0;
    if (status) refuse(saying, 409, "Conflict", err.message);
    else if (!saying->coverage.covered) refuse_silence(saying, silence.entity);
    else take(saying);
}

static void unsilence(struct saying *saying)
{
    saying->coverage = sq_alert_stage_unsilence(saying->people->stage, saying->id, &saying->receipt);
    if (saying->coverage.covered) {
        take(saying);
    } else {
        refuse_unknown(saying->people, saying->call, "silence");
        forget(saying);
    }
}

void sq_api_people_unsilence(struct sq_api_people *people, struct sq_http_call *call)
{
    uint64_t id;
    struct saying *saying;
    if (!sq_api_parse_id(sq_http_call_name(call), &id)) sq_http_call_refuse(call, 404, "NotFound", no_id);
    else if (!people->stage) refuse_unknown(people, call, "silence");
    else if ((saying = hear(people, call, id))) unsilence(saying);
}

/* ---- the whole ---- */

void sq_api_people_tick(struct sq_api_people *people)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    for (struct saying *saying = people->sayings; saying; saying = saying->next)
        if (saying->call && now_ns >= saying->deadline_ns) answer(saying);
}

struct sq_api_people *sq_api_people_open(struct sq_alert_stage *stage)
{
    struct sq_api_people *people = calloc(1, sizeof *people);
    if (people) people->stage = stage;
    return people;
}

void sq_api_people_close(struct sq_api_people *people)
{
    struct saying *saying, *next;
    if (!people) return;
    for (saying = people->sayings; saying; saying = next) {
        next = saying->next;
        if (saying->call) sq_http_call_refuse(saying->call, 503, "Unhealthy", "the worker is stopping before this was saved: say it to another one");
        saying->call = NULL;
        saying->people = NULL;
        saying->next = saying->previous = NULL;
    }
    free(people);
}
