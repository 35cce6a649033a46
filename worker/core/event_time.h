/* SPDX-License-Identifier: Apache-2.0 */
/* When an input record happened. What others claim is bounded by what the log knows: one stamp from the future would make all that comes
 * after it late. Pure; the result is written into the score record, so everything behind it is a function of the log. */
#ifndef SQ_CORE_EVENT_TIME_H
#define SQ_CORE_EVENT_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct sq_event_time {
    int64_t ms;
    bool is_clamped; /* absent, negative or too far ahead: replaced */
};

/* field_ms: of the event, where has_field; record_ms: the record's own timestamp, -1: none; append_ms: when it was appended, as well as
 * anyone knows; future_ms_max: further ahead of append_ms is cut to that. */
struct sq_event_time sq_event_time(bool has_field, int64_t field_ms, int64_t record_ms, int64_t append_ms, int64_t future_ms_max);

#endif
