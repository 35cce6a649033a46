/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule asks for, as plain data. worker/io/config fills it; its defaults are the ones documented in ops/docs/CONFIGURATION.md. */
#ifndef SQ_CORE_RULE_H
#define SQ_CORE_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SQ_RULES_MAX = 16,
    SQ_RULE_WINDOWS_MAX = 2,
    SQ_RULE_GLOBS_MAX = 16,
    SQ_RULE_TEXT_BYTES = 128,
    SQ_RULE_SUMMARY_BYTES = 512,
};

/* rate: the share of a label spikes; volume: the number of messages does; threshold: the share stands above a fixed one. */
enum sq_rule_type { SQ_RULE_RATE, SQ_RULE_VOLUME, SQ_RULE_THRESHOLD };
enum sq_rule_severity { SQ_RULE_SEVERITY_AUTO, SQ_RULE_SEVERITY_INFO, SQ_RULE_SEVERITY_WARNING, SQ_RULE_SEVERITY_ERROR, SQ_RULE_SEVERITY_CRITICAL };

struct sq_rule {
    char name[SQ_RULE_TEXT_BYTES];
    enum sq_rule_type type;
    char label[SQ_RULE_TEXT_BYTES];    /* "negative" */
    double min_score;                  /* 0: the strongest label counts; else the label's probability must reach it */
    char entities[SQ_RULE_GLOBS_MAX][SQ_RULE_TEXT_BYTES];
    unsigned entities_count;           /* 0: all */
    int64_t windows_ms[SQ_RULE_WINDOWS_MAX];
    unsigned windows_count;
    double budget_per_entity_week;     /* false alarms */
    double threshold;                  /* > 0: a fixed S instead of the budget */
    double above, resolve_below;       /* of a threshold rule: shares */
    double storm_share;                /* of the rule's entities that are up at once: one alert for all; 0: never */
    bool near_copies;                  /* texts that differ in a few words are copies too */
    uint32_t min_messages, min_matched, min_authors;
    double min_lift_pp, min_lift_ratio;
    uint32_t max_per_text, max_per_author;
    int64_t half_life_ms, guard_ms, warmup_ms;
    uint32_t warmup_messages;
    int64_t resolve_after_ms, expire_after_ms, reopen_within_ms, repeat_first_ms, repeat_max_ms, for_ms;
    enum sq_rule_severity severity;
    bool is_shadow;                    /* it is decided as ever, but nobody is told; the caller sees to that */
    char summary[SQ_RULE_SUMMARY_BYTES];     /* templates, see summary.h; "": the type's own sentence */
    char runbook_url[SQ_RULE_SUMMARY_BYTES];
};

struct sq_time_rules {
    int64_t bucket_ms;             /* 60000 */
    int64_t watermark_delay_ms;    /* 30 s */
    int64_t idle_after_ms;         /* 60 s of the scores records' own timestamps */
    int64_t allowed_lateness_ms;   /* 10 min */
};

#endif
