/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/identity.h"

enum { MINUTE_MS = 60000 };

uint64_t sq_identity_fingerprint(struct sq_str app, struct sq_str rule, struct sq_str entity)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    sq_siphash_take_part(&hash, app);
    sq_siphash_take_part(&hash, rule);
    sq_siphash_take_part(&hash, entity);
    return sq_siphash_end(&hash);
}

uint64_t sq_identity_storm(struct sq_str app, struct sq_str rule, int32_t scores_partition)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    sq_siphash_take_part(&hash, app);
    sq_siphash_take_part(&hash, rule);
    sq_siphash_take_number(&hash, (uint64_t)scores_partition);
    sq_siphash_take_part(&hash, SQ_STR("storm"));
    return sq_siphash_end(&hash);
}

uint64_t sq_identity_alert(uint64_t fingerprint, int64_t first_ms)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    sq_siphash_take_number(&hash, fingerprint);
    sq_siphash_take_number(&hash, (uint64_t)(first_ms / MINUTE_MS));
    return sq_siphash_end(&hash);
}

/* The bits of a double, so that 0.1 is 0.1 on every machine. */
static void take_real(struct sq_siphash *hash, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    sq_siphash_take_number(hash, bits);
}

static void take_rule(struct sq_siphash *hash, const struct sq_rule *rule)
{
    sq_siphash_take_part(hash, sq_str_view(rule->name));
    sq_siphash_take_part(hash, sq_str_view(rule->label));
    sq_siphash_take_part(hash, sq_str_view(rule->summary));
    sq_siphash_take_part(hash, sq_str_view(rule->runbook_url));
    sq_siphash_take_number(hash, rule->entities_count);
    for (unsigned i = 0; i < rule->entities_count; i++) sq_siphash_take_part(hash, sq_str_view(rule->entities[i]));
    sq_siphash_take_number(hash, rule->windows_count);
    for (unsigned i = 0; i < rule->windows_count; i++) sq_siphash_take_number(hash, (uint64_t)rule->windows_ms[i]);
    const double reals[] = {rule->min_score, rule->budget_per_entity_week, rule->threshold, rule->min_lift_pp, rule->min_lift_ratio,
                            rule->above, rule->resolve_below, rule->storm_share};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) take_real(hash, reals[i]);
    const int64_t numbers[] = {
        rule->type,           rule->min_messages, rule->min_matched,     rule->min_authors,     rule->max_per_text,
        rule->max_per_author, rule->half_life_ms, rule->guard_ms,        rule->warmup_ms,       rule->warmup_messages,
        rule->for_ms,         rule->severity,     rule->resolve_after_ms, rule->expire_after_ms, rule->reopen_within_ms,
        rule->repeat_first_ms, rule->repeat_max_ms,     rule->near_copies,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sq_siphash_take_number(hash, (uint64_t)numbers[i]);
}

uint64_t sq_identity_form(const struct sq_rule *rule, const struct sq_time_rules *time)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    sq_siphash_take_part(&hash, sq_str_view(rule->type == SQ_RULE_VOLUME ? "" : rule->label));
    sq_siphash_take_number(&hash, rule->windows_count);
    for (unsigned i = 0; i < rule->windows_count; i++) sq_siphash_take_number(&hash, (uint64_t)rule->windows_ms[i]);
    take_real(&hash, rule->min_score);
    const int64_t numbers[] = {rule->type, rule->guard_ms, rule->near_copies, time->bucket_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sq_siphash_take_number(&hash, (uint64_t)numbers[i]);
    return sq_siphash_end(&hash);
}

uint64_t sq_identity_rules(const struct sq_rule *rules, unsigned rules_count, const struct sq_time_rules *time)
{
    struct sq_siphash hash;
    sq_siphash_init(&hash);
    for (unsigned i = 0; i < rules_count; i++) take_rule(&hash, &rules[i]);
    const int64_t numbers[] = {time->bucket_ms, time->watermark_delay_ms, time->idle_after_ms, time->allowed_lateness_ms};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sq_siphash_take_number(&hash, (uint64_t)numbers[i]);
    return sq_siphash_end(&hash);
}
