/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/time_text.h"
#include "proto/event_read.h"

#define AUTO_MS_MIN 1e11 /* seconds until the year 5138, milliseconds from 1973 on */

static int64_t bounded_ms(double ms)
{
    if (!(ms > (double)SQ_TIME_MS_MIN)) return SQ_TIME_MS_MIN;
    if (ms >= (double)SQ_TIME_MS_MAX) return SQ_TIME_MS_MAX;
    return (int64_t)floor(ms);
}

/* Headers and keys have no numbers, so a text that is wholly a decimal number is one. */
static bool as_number(const struct sq_raw *raw, double *number)
{
    if (raw->kind == SQ_RAW_INTEGER) *number = (double)raw->integer;
    if (raw->kind == SQ_RAW_REAL) *number = raw->real;
    if (raw->kind != SQ_RAW_TEXT) return raw->kind == SQ_RAW_INTEGER || raw->kind == SQ_RAW_REAL;
    char digits[32];
    if (raw->text.bytes == 0 || raw->text.bytes >= sizeof digits) return false;
    memcpy(digits, raw->text.data, raw->text.bytes);
    digits[raw->text.bytes] = '\0';
    if (strspn(digits, "0123456789.+-") != raw->text.bytes) return false;
    char *end;
    *number = strtod(digits, &end);
    return end == digits + raw->text.bytes;
}

bool sq_event_ts_read(const struct sq_raw *raw, enum sq_ts_unit unit, int64_t *ms)
{
    double number = 0;
    if (unit != SQ_TS_RFC3339 && as_number(raw, &number)) {
        bool is_ms = unit == SQ_TS_MS || (unit == SQ_TS_AUTO && number >= AUTO_MS_MIN);
        *ms = bounded_ms(is_ms ? number : number * 1e3);
        return true;
    }
    bool takes_text = unit == SQ_TS_AUTO || unit == SQ_TS_RFC3339;
    if (!takes_text || raw->kind != SQ_RAW_TEXT || !sq_time_text_parse(raw->text, ms)) return false;
    *ms = bounded_ms((double)*ms); /* a zone can lead out of the years */
    return true;
}
