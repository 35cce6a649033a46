/* SPDX-License-Identifier: Apache-2.0 */
/* The words that stand in alerts for the numbers of proto/records.h. */
#include "proto/codec.h"

const char *sq_alert_state_name(enum sq_alert_state state)
{
    static const char *const names[] = {
        [SQ_ALERT_FIRING] = "FIRING",
        [SQ_ALERT_UPDATED] = "UPDATED",
        [SQ_ALERT_RESOLVED] = "RESOLVED",
    };
    return names[state];
}

const char *sq_alert_reason_word(enum sq_alert_reason reason)
{
    static const char *const words[] = {
        [SQ_REASON_THRESHOLD] = "threshold",     [SQ_REASON_REOPEN] = "reopen",   [SQ_REASON_SEVERITY] = "severity",
        [SQ_REASON_REPEAT] = "repeat",           [SQ_REASON_CALM] = "calm",       [SQ_REASON_NO_DATA] = "no_data",
        [SQ_REASON_LEVEL_SHIFT] = "level_shift", [SQ_REASON_ACKNOWLEDGED] = "acknowledged",
        [SQ_REASON_RULE_REMOVED] = "rule_removed",
    };
    return words[reason];
}

const char *sq_alert_kind_word(enum sq_alert_kind kind)
{
    static const char *const words[] = {
        [SQ_ALERT_RATE] = "rate", [SQ_ALERT_VOLUME] = "volume", [SQ_ALERT_THRESHOLD] = "threshold", [SQ_ALERT_STORM] = "storm"};
    return words[kind];
}

const char *sq_severity_word(enum sq_severity severity)
{
    static const char *const words[] = {
        [SQ_SEVERITY_INFO] = "info",
        [SQ_SEVERITY_WARNING] = "warning",
        [SQ_SEVERITY_ERROR] = "error",
        [SQ_SEVERITY_CRITICAL] = "critical",
    };
    return words[severity];
}
