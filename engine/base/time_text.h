/* SPDX-License-Identifier: Apache-2.0 */
/* Times as RFC 3339 texts: https://www.rfc-editor.org/rfc/rfc3339. Proleptic Gregorian calendar, years 1 to 9999, UTC out. */
#ifndef SQ_BASE_TIME_TEXT_H
#define SQ_BASE_TIME_TEXT_H

#include <stdint.h>

#include "engine/base/str.h"

#define SQ_TIME_MS_MIN INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define SQ_TIME_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

enum { SQ_TIME_TEXT_BYTES = 32 };

/* "2026-11-23T04:00:00Z", with ".123" before the Z where there are milliseconds. A time outside the years is shown as the nearest end. */
void sq_time_text_format(int64_t ms, char out[SQ_TIME_TEXT_BYTES]);

/* The reverse, with any zone and any number of decimals (beyond milliseconds they are dropped); T, t or a blank between date and time. A
 * zone must be there: without one the text is no point in time. A leap second counts as the second after it. False: not such a text. */
bool sq_time_text_parse(struct sq_str text, int64_t *ms);

#endif
