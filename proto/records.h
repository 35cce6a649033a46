/* SPDX-License-Identifier: Apache-2.0 */
/* The records that travel between the parts, as plain structs. proto/codec.h turns them into bytes and back; worker/core works on them
 * without knowing any encoding. Strings are borrowed: whoever fills a struct says how long they live. Times are ms since 1970 UTC. */
#ifndef SQ_PROTO_RECORDS_H
#define SQ_PROTO_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/str.h"

enum {
    SQ_RECORD_BYTES_MAX = 65536,     /* default of input.max_bytes, and the bound of a score record */
    SQ_ENTITY_BYTES_MAX = 256,
    SQ_ID_BYTES_MAX = 256,
    SQ_SCORE_LABELS_MAX = 64,
    SQ_ALERT_EXAMPLES_MAX = 5,
    SQ_ALERT_LABELS_MAX = 8,
    SQ_ALERT_TERMS_MAX = 5,
};

/* One input record after decoding. */
struct sq_event {
    struct sq_str text;    /* valid UTF-8, not blank */
    struct sq_str entity;  /* what it is about; never empty */
    struct sq_str author;  /* empty: unknown */
    struct sq_str id;      /* empty: none */
    int64_t ts_ms;         /* event time; only where has_ts */
    bool has_ts;
};

/* Where a record stands in Kafka. */
struct sq_coordinates {
    struct sq_str topic;
    int32_t partition;
    int64_t offset;
};

/* One scored text, or one that there was no time to score: the value of <app>.scores. */
struct sq_score {
    struct sq_coordinates source;    /* of the input record */
    struct sq_str entity;
    int64_t event_time_ms;           /* after clamping */
    bool clamped;                    /* absent, negative or too far ahead: replaced by what the log knows */
    struct sq_str label;             /* of the largest probability */
    float probabilities[SQ_SCORE_LABELS_MAX]; /* in id order of the model */
    unsigned probabilities_count;
    float score;                     /* the largest of them */
    uint64_t model_digest;
    struct sq_str id;
    uint64_t author_hash;            /* 0: unknown */
    uint64_t text_hash;              /* 0: too short to collapse */
    uint64_t text_simhash;           /* near-copies differ in few bits; 0: too short, or not computed */
    uint32_t tokens;
    bool truncated;
    bool skipped;                    /* not scored; no label, nor what belongs to one */
    float share;                     /* of the records that were being scored; 0: all */
    struct sq_str excerpt;           /* redacted start of the text, only where a rule watches the label; else empty */
};

enum sq_alert_state { SQ_ALERT_FIRING, SQ_ALERT_UPDATED, SQ_ALERT_RESOLVED };
enum sq_alert_reason {
    SQ_REASON_THRESHOLD, SQ_REASON_REOPEN, SQ_REASON_SEVERITY, SQ_REASON_REPEAT, SQ_REASON_ACKNOWLEDGED, /* firing, updated */
    SQ_REASON_CALM, SQ_REASON_NO_DATA, SQ_REASON_LEVEL_SHIFT, SQ_REASON_RULE_REMOVED, /* resolved */
};
enum sq_severity { SQ_SEVERITY_INFO, SQ_SEVERITY_WARNING, SQ_SEVERITY_ERROR, SQ_SEVERITY_CRITICAL };

struct sq_alert_example {
    struct sq_coordinates source;
    int64_t ts_ms;
    struct sq_str id;
    struct sq_str label;
    float score;
    struct sq_str excerpt;
};

/* A word that is more common in the alert's texts than it was before. */
struct sq_alert_term {
    struct sq_str term;
    uint32_t texts;      /* of those kept for the window that hold it */
    double weight;       /* how far it stands out, in standard deviations */
};

/* What an alert is about. */
enum sq_alert_kind { SQ_ALERT_RATE, SQ_ALERT_VOLUME, SQ_ALERT_THRESHOLD, SQ_ALERT_STORM };

/* One transition of one alert: the value of <app>.alerts. */
struct sq_alert {
    enum sq_alert_state state;
    enum sq_alert_reason reason;
    enum sq_alert_kind kind;
    uint64_t fingerprint;            /* of app, rule, entity: the key, 16 hex digits */
    uint64_t alert_id;               /* of the fingerprint and the minute of the first S >= T */
    uint32_t seq;                    /* of this transition within the alert, from 0; (alert_id, seq) names it */
    uint32_t reopen_count;
    struct sq_str app, rule, entity;
    enum sq_severity severity;
    struct sq_str summary;
    struct sq_str runbook_url;       /* empty: none */
    bool silenced, acknowledged;     /* people said so: published, but nobody need be notified */
    int64_t starts_at_ms, at_ms;
    int64_t ends_at_ms;              /* only when RESOLVED, else 0 */
    int64_t window_start_ms, window_end_ms;
    struct {
        uint32_t count, matched;     /* after collapsing */
        double rate;                 /* matched / count; VOLUME: messages an hour; STORM: the share of entities */
        double baseline_rate, baseline_low, baseline_high; /* what is usual, and the 95 % range in such a window; in the unit of rate */
        double baseline_messages;
        double lift_pp, lift_ratio;
        double strength, threshold;  /* S = -log10 P, and T */
        double p_value;
        uint32_t distinct_authors;
        uint32_t collapsed, late;
        bool flapping;
        uint32_t skipped;            /* not scored, so in none of the others; VOLUME: 0 */
        struct { struct sq_str label; uint32_t count; } labels[SQ_ALERT_LABELS_MAX];
        unsigned labels_count;
    } stats;
    int64_t watermark_ms;
    int32_t scores_partition;
    struct sq_alert_example examples[SQ_ALERT_EXAMPLES_MAX];
    unsigned examples_count;
    struct sq_alert_term terms[SQ_ALERT_TERMS_MAX]; /* strongest first */
    unsigned terms_count;
    struct sq_str model_name;
    uint64_t model_digest;
    uint64_t rules_digest;
    struct sq_str mode;              /* "live", "replay", "demo" */
};

#endif
