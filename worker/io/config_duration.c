/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "worker/io/config_value.h"

static const struct {
    const char *name; /* "ms" before "m" */
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
enum { UNITS_COUNT = sizeof units / sizeof *units };

bool sq_config_take_number(struct sq_str *text, int64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < text->bytes && text->data[digits] >= '0' && text->data[digits] <= '9' && digits < 12)
        *number = *number * 10 + (text->data[digits++] - '0');
    *text = (struct sq_str){text->data + digits, text->bytes - digits};
    return digits > 0;
}

static bool take_unit(struct sq_str *text, int64_t *ms)
{
    for (int i = 0; i < UNITS_COUNT; i++) {
        size_t bytes = strlen(units[i].name);
        if (text->bytes < bytes || memcmp(text->data, units[i].name, bytes) != 0) continue;
        *text = (struct sq_str){text->data + bytes, text->bytes - bytes};
        *ms = units[i].ms;
        return true;
    }
    return false;
}

bool sq_config_duration_parse(struct sq_str text, int64_t *ms)
{
    int64_t number, unit_ms, unit_before_ms = INT64_MAX;
    *ms = 0;
    do {
        if (!sq_config_take_number(&text, &number) || !take_unit(&text, &unit_ms)) return false;
        if (unit_ms >= unit_before_ms || number > INT64_C(1000000000000) / unit_ms * 100) return false;
        unit_before_ms = unit_ms;
        *ms += number * unit_ms;
    } while (text.bytes > 0);
    return true;
}

void sq_config_duration_format(int64_t ms, char out[32])
{
    int unit = UNITS_COUNT - 1;
    while (unit > 0 && (ms == 0 ? unit > 1 : ms % units[unit].ms != 0)) unit--;
    snprintf(out, 32, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}
