/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/event_time.h"

struct sq_event_time sq_event_time(bool has_field, int64_t field_ms, int64_t record_ms, int64_t append_ms, int64_t future_ms_max)
{
    int64_t ms = has_field ? field_ms : record_ms;
    if (ms < 0) return (struct sq_event_time){append_ms, true};
    if (ms - append_ms > future_ms_max) return (struct sq_event_time){append_ms + future_ms_max, true};
    return (struct sq_event_time){ms, false};
}
