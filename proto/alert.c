/* SPDX-License-Identifier: Apache-2.0 */
/* An alert as protobuf. The message is built on the stack out of views, then packed. */
#include <inttypes.h>
#include <stdio.h>

#include "proto/alert.pb-c.h"
#include "proto/codec.h"
#include "proto/pack.h"

struct hex {
    char text[17];
};

static ProtobufCBinaryData hex_of(uint64_t number, struct hex *hex)
{
    snprintf(hex->text, sizeof hex->text, "%016" PRIx64, number);
    return sq_pack_text(hex->text);
}

static Google__Protobuf__Timestamp time_of(int64_t ms)
{
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time.seconds = ms / 1000 - (ms % 1000 < 0);
    time.nanos = (int32_t)(ms - time.seconds * 1000) * 1000000;
    return time;
}

/* Everything that a message points at. */
struct parts {
    struct hex fingerprint, alert_id, rules_digest, model_digest;
    Google__Protobuf__Timestamp starts_at, at, ends_at, window_start, window_end, watermark;
    Squall__V1__Window window;
    Squall__V1__Baseline baseline;
    Squall__V1__LabelCount labels[SQ_ALERT_LABELS_MAX], *label_pointers[SQ_ALERT_LABELS_MAX];
    Squall__V1__Stats stats;
    Squall__V1__Completeness completeness;
    Google__Protobuf__Timestamp example_times[SQ_ALERT_EXAMPLES_MAX];
    Squall__V1__Example examples[SQ_ALERT_EXAMPLES_MAX], *example_pointers[SQ_ALERT_EXAMPLES_MAX];
    Squall__V1__Term terms[SQ_ALERT_TERMS_MAX], *term_pointers[SQ_ALERT_TERMS_MAX];
    Squall__V1__Model model, *model_pointer;
};

static void build_stats(const struct sq_alert *alert, struct parts *parts)
{
    squall__v1__baseline__init(&parts->baseline);
    parts->baseline.rate = alert->stats.baseline_rate;
    parts->baseline.low = alert->stats.baseline_low;
    parts->baseline.high = alert->stats.baseline_high;
    parts->baseline.messages = alert->stats.baseline_messages;
    for (unsigned i = 0; i < alert->stats.labels_count; i++) {
        squall__v1__label_count__init(&parts->labels[i]);
        parts->labels[i].label = sq_pack_view(alert->stats.labels[i].label);
        parts->labels[i].count = alert->stats.labels[i].count;
        parts->label_pointers[i] = &parts->labels[i];
    }
    Squall__V1__Stats *stats = &parts->stats;
    squall__v1__stats__init(stats);
    stats->count = alert->stats.count;
    stats->matched = alert->stats.matched;
    stats->rate = alert->stats.rate;
    stats->baseline = &parts->baseline;
    stats->lift_pp = alert->stats.lift_pp;
    stats->lift_ratio = alert->stats.lift_ratio;
    stats->strength = alert->stats.strength;
    stats->threshold = alert->stats.threshold;
    stats->p_value = alert->stats.p_value;
    stats->n_label_counts = alert->stats.labels_count;
    stats->label_counts = parts->label_pointers;
    stats->distinct_authors = alert->stats.distinct_authors;
    stats->collapsed = alert->stats.collapsed;
    stats->late = alert->stats.late;
    stats->flapping = alert->stats.flapping;
    stats->skipped = alert->stats.skipped;
}

static void build_examples(const struct sq_alert *alert, struct parts *parts)
{
    for (unsigned i = 0; i < alert->examples_count; i++) {
        const struct sq_alert_example *from = &alert->examples[i];
        Squall__V1__Example *example = &parts->examples[i];
        squall__v1__example__init(example);
        example->topic = sq_pack_view(from->source.topic);
        example->partition = from->source.partition;
        example->offset = from->source.offset;
        parts->example_times[i] = time_of(from->ts_ms);
        example->ts = &parts->example_times[i];
        example->id = sq_pack_view(from->id);
        example->label = sq_pack_view(from->label);
        example->score = (double)from->score;
        example->excerpt = sq_pack_view(from->excerpt);
        parts->example_pointers[i] = example;
    }
}

static void build_terms(const struct sq_alert *alert, struct parts *parts)
{
    for (unsigned i = 0; i < alert->terms_count; i++) {
        squall__v1__term__init(&parts->terms[i]);
        parts->terms[i].term = sq_pack_view(alert->terms[i].term);
        parts->terms[i].texts = alert->terms[i].texts;
        parts->terms[i].weight = alert->terms[i].weight;
        parts->term_pointers[i] = &parts->terms[i];
    }
}

static void build_times(const struct sq_alert *alert, struct parts *parts)
{
    parts->starts_at = time_of(alert->starts_at_ms);
    parts->at = time_of(alert->at_ms);
    parts->ends_at = time_of(alert->ends_at_ms);
    parts->window_start = time_of(alert->window_start_ms);
    parts->window_end = time_of(alert->window_end_ms);
    parts->watermark = time_of(alert->watermark_ms);
    squall__v1__window__init(&parts->window);
    parts->window.start = &parts->window_start;
    parts->window.end = &parts->window_end;
    squall__v1__completeness__init(&parts->completeness);
    parts->completeness.scores_partition = alert->scores_partition;
    parts->completeness.watermark = &parts->watermark;
}

static void build_model(const struct sq_alert *alert, struct parts *parts)
{
    squall__v1__model__init(&parts->model);
    parts->model.name = sq_pack_view(alert->model_name);
    parts->model.digest = hex_of(alert->model_digest, &parts->model_digest);
    parts->model_pointer = &parts->model;
}

int sq_alert_encode_protobuf(const struct sq_alert *alert, struct sq_buf *out, struct sq_err *err)
{
    struct parts parts;
    build_times(alert, &parts);
    build_stats(alert, &parts);
    build_examples(alert, &parts);
    build_terms(alert, &parts);
    build_model(alert, &parts);
    Squall__V1__Alert message = SQUALL__V1__ALERT__INIT;
    message.state = (Squall__V1__Alert__State)(SQUALL__V1__ALERT__STATE__FIRING + (int)alert->state);
    message.reason = sq_pack_text(sq_alert_reason_word(alert->reason));
    message.fingerprint = hex_of(alert->fingerprint, &parts.fingerprint);
    message.alert_id = hex_of(alert->alert_id, &parts.alert_id);
    message.seq = alert->seq;
    message.reopen_count = alert->reopen_count;
    message.app = sq_pack_view(alert->app);
    message.rule = sq_pack_view(alert->rule);
    message.entity = sq_pack_view(alert->entity);
    message.severity = sq_pack_text(sq_severity_word(alert->severity));
    message.summary = sq_pack_view(alert->summary);
    message.starts_at = &parts.starts_at;
    message.at = &parts.at;
    message.ends_at = alert->state == SQ_ALERT_RESOLVED ? &parts.ends_at : NULL;
    message.window = &parts.window;
    message.stats = &parts.stats;
    message.completeness = &parts.completeness;
    message.n_examples = alert->examples_count;
    message.examples = parts.example_pointers;
    message.n_models = 1;
    message.models = &parts.model_pointer;
    message.rules_digest = hex_of(alert->rules_digest, &parts.rules_digest);
    message.mode = sq_pack_view(alert->mode);
    message.kind = sq_pack_text(sq_alert_kind_word(alert->kind));
    message.silenced = alert->silenced;
    message.acknowledged = alert->acknowledged;
    message.runbook_url = sq_pack_view(alert->runbook_url);
    message.n_terms = alert->terms_count;
    message.terms = parts.term_pointers;
    return sq_pack_append(&message.base, out, err);
}
