/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_place.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/time_text.h"
#include "worker/io/config_duration.h"

/* All of it digits, at most 15 of them. */
static bool parse_number(const char *text, int64_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits]) return false;
    *number = strtoll(text, NULL, 10);
    return true;
}

static bool parse_time(const char *text, int64_t now_ms, int64_t *ms)
{
    int64_t ago_ms;
    if (text[0] != '-') return parse_number(text, ms) || sq_time_text_parse(sq_str_view(text), ms);
    if (!sq_config_duration_parse(sq_str_view(text + 1), &ago_ms)) return false;
    *ms = now_ms - ago_ms;
    return true;
}

bool sq_kafka_place_parse(struct sq_kafka_place *place, const char *text, int64_t now_ms)
{
    *place = (struct sq_kafka_place){.anchor = SQ_PLACE_START};
    if (strcmp(text, "start") == 0) return true;
    if (text[0] == '+') return parse_number(text + 1, &place->value);
    place->anchor = SQ_PLACE_END;
    if (strcmp(text, "end") == 0) return true;
    if (text[0] == '-') return parse_number(text + 1, &place->value);
    place->anchor = text[0] == '@' ? SQ_PLACE_TIME : SQ_PLACE_OFFSET;
    return text[0] == '@' ? parse_time(text + 1, now_ms, &place->value) : parse_number(text, &place->value);
}

static int64_t clamp(int64_t offset, int64_t low, int64_t high) { return offset < low ? low : offset > high ? high : offset; }

int64_t sq_kafka_place_offset(const struct sq_kafka_place *place, int64_t low, int64_t high, int64_t time_offset)
{
    switch (place->anchor) {
    case SQ_PLACE_START: return clamp(low + place->value, low, high);
    case SQ_PLACE_END: return clamp(high - place->value, low, high);
    case SQ_PLACE_OFFSET: return clamp(place->value, low, high);
    case SQ_PLACE_TIME: break;
    }
    return time_offset < 0 ? high : clamp(time_offset, low, high);
}
