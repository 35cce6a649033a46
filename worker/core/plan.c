/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/plan.h"

#include <inttypes.h>
#include <stdio.h>

#include "worker/core/summary.h"
#include "worker/core/threshold.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS };

double sq_plan_decay(int64_t step_ms, int64_t half_life_ms)
{
    /* e^-y for y below 1: the alternating series, of which twenty terms are more than a double can hold. */
    double y = 0.69314718055994530942 * (double)step_ms / (double)half_life_ms;
    double term = 1, sum = 1;
    for (int i = 1; i <= 20; i++) {
        term *= -y / i;
        sum += term;
    }
    return sum;
}

struct bound {
    const char *key;
    int64_t value, min, max;
};

static int check_bounds(const struct bound *bounds, size_t bounds_count, const char *where, struct sq_err *err)
{
    for (size_t i = 0; i < bounds_count; i++) {
        const struct bound *b = &bounds[i];
        if (b->value >= b->min && b->value <= b->max) continue;
        return sq_err_set(err, SQ_E_CONFIG, "%s%s: %" PRId64 " is not in [%" PRId64 ", %" PRId64 "]", where, b->key, b->value, b->min,
                          b->max);
    }
    return 0;
}

static int check_time(const struct sq_time_rules *time, struct sq_err *err)
{
    const struct bound bounds[] = {
        {"bucket (ms)", time->bucket_ms, 10000, SQ_EDGE_MS},
        {"watermark_delay (ms)", time->watermark_delay_ms, 0, SQ_SKEW_MS_USUAL},
        {"idle_after (ms)", time->idle_after_ms, 1, DAY_MS},
        {"allowed_lateness (ms)", time->allowed_lateness_ms, 0, DAY_MS},
    };
    int status = check_bounds(bounds, sizeof bounds / sizeof *bounds, "time.", err);
    if (status) return status;
    if (SQ_EDGE_MS % time->bucket_ms == 0) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "time.bucket: %" PRId64 " ms does not divide five minutes; take 10s, 15s, 20s, 30s, 1m or 5m",
                      time->bucket_ms);
}

static int check_shares(const struct sq_rule *rule, const char *where, struct sq_err *err)
{
    if (!(rule->above > 0 && rule->above <= 1)) return sq_err_set(err, SQ_E_CONFIG, "%sabove: a threshold rule needs a share in (0, 1]", where);
    if (!(rule->resolve_below > 0 && rule->resolve_below <= rule->above))
        return sq_err_set(err, SQ_E_CONFIG, "%sresolve_below: a threshold rule needs a share in (0, above]", where);
    return 0;
}

static int check_rule(const struct sq_rule *rule, const char *where, struct sq_err *err)
{
    const struct bound bounds[] = {
        {"windows (count)", rule->windows_count, 1, SQ_RULE_WINDOWS_MAX},
        {"min_authors", rule->min_authors, 0, SQ_MIN_AUTHORS_MAX},
        {"max_per_text", rule->max_per_text, 1, 255},
        {"max_per_author", rule->max_per_author, 1, 255},
        {"half_life (ms)", rule->half_life_ms, 6 * HOUR_MS, 366 * (int64_t)DAY_MS},
        {"guard (ms)", rule->guard_ms, 0, SQ_GUARD_MS_MAX},
        {"warmup.time (ms)", rule->warmup_ms, 0, 366 * (int64_t)DAY_MS},
        {"resolve_after (ms)", rule->resolve_after_ms, 0, 7 * (int64_t)DAY_MS},
        {"expire_after (ms)", rule->expire_after_ms, MINUTE_MS, 7 * (int64_t)DAY_MS},
        {"reopen_within (ms)", rule->reopen_within_ms, 0, 7 * (int64_t)DAY_MS},
        {"for (ms)", rule->for_ms, 0, DAY_MS},
        {"repeat (ms)", rule->repeat_first_ms, 0, 7 * (int64_t)DAY_MS},
        {"repeat (longest, ms)", rule->repeat_max_ms, rule->repeat_first_ms, 7 * (int64_t)DAY_MS},
    };
    int status = check_bounds(bounds, sizeof bounds / sizeof *bounds, where, err);
    if (status) return status;
    if (rule->name[0] == '\0' || rule->label[0] == '\0') return sq_err_set(err, SQ_E_CONFIG, "%sname and label are required", where);
    if (rule->type == SQ_RULE_THRESHOLD) return check_shares(rule, where, err);
    if (rule->above > 0 || rule->resolve_below > 0)
        return sq_err_set(err, SQ_E_CONFIG, "%sabove and resolve_below belong to rules of type threshold", where);
    if (rule->threshold <= 0 && !(rule->budget_per_entity_week > 0))
        return sq_err_set(err, SQ_E_CONFIG, "%sbudget_per_entity_week: must be above 0", where);
    return 0;
}

static int plan_windows(struct sq_plan *plan, const char *where, struct sq_err *err)
{
    const struct sq_rule *rule = plan->rule;
    plan->windows_count = rule->windows_count;
    for (unsigned i = 0; i < rule->windows_count; i++) {
        int64_t length_ms = rule->windows_ms[i];
        if (length_ms < plan->bucket_ms || length_ms > SQ_WINDOW_MS_MAX || length_ms % plan->bucket_ms)
            return sq_err_set(err, SQ_E_CONFIG, "%swindows: %" PRId64 " ms is no multiple of time.bucket up to 6 hours", where, length_ms);
        if (i > 0 && length_ms <= rule->windows_ms[i - 1]) return sq_err_set(err, SQ_E_CONFIG, "%swindows: the shorter one first", where);
        int64_t blocks = (length_ms + SQ_BLOCK_MS / 2) / SQ_BLOCK_MS;
        if (blocks == 0) blocks = 1;
        plan->windows[i] = (struct sq_window_plan){length_ms, (unsigned)blocks, sq_plan_decay(blocks * SQ_BLOCK_MS, rule->half_life_ms)};
        plan->longest_ms = length_ms;
        if (length_ms <= SQ_BLOCK_MS) plan->fine_ms = length_ms;
    }
    return 0;
}

int sq_plan_init(struct sq_plan *plan, const struct sq_rule *rule, const struct sq_time_rules *time, struct sq_err *err)
{
    char where[SQ_RULE_TEXT_BYTES + 16];
    snprintf(where, sizeof where, "rules.%s.", rule->name);
    *plan = (struct sq_plan){.rule = rule, .bucket_ms = time->bucket_ms};
    int status = check_time(time, err);
    if (!status) status = check_rule(rule, where, err);
    if (!status) status = plan_windows(plan, where, err);
    if (!status) status = sq_summary_check(rule->summary, where, "summary", err);
    if (!status) status = sq_summary_check(rule->runbook_url, where, "runbook_url", err);
    if (status) return status;

    plan->lag_ms = plan->longest_ms + rule->guard_ms;
    plan->block_decay = sq_plan_decay(SQ_BLOCK_MS, rule->half_life_ms);
    plan->block_buckets = (uint32_t)(SQ_BLOCK_MS / plan->bucket_ms);
    plan->edge_buckets = (uint32_t)(SQ_EDGE_MS / plan->bucket_ms);
    plan->threshold = rule->type == SQ_RULE_THRESHOLD ? rule->above : rule->threshold > 0 ? rule->threshold : SQ_THRESHOLD_START;
    plan->has_budget = rule->type != SQ_RULE_THRESHOLD && rule->threshold <= 0;
    return 0;
}
