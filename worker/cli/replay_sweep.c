/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/replay_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_BYTES = 8 };

struct range {
    double from, to, step;
    char unit[UNIT_BYTES];
};

static int add(struct sq_sweep *sweep, const char *text, const char *value, size_t value_bytes, struct sq_err *err)
{
    if (sweep->count == SQ_SWEEP_POINTS_MAX) return sq_err_set(err, SQ_E_USAGE, "--sweep %s: more than %d points", text, SQ_SWEEP_POINTS_MAX);
    if (value_bytes == 0) return sq_err_set(err, SQ_E_USAGE, "--sweep %s: a value is missing", text);
    int bytes = snprintf(sweep->points[sweep->count], SQ_SWEEP_POINT_BYTES, "%.*s=%.*s", (int)sweep->path_bytes, text, (int)value_bytes, value);
    if (bytes >= SQ_SWEEP_POINT_BYTES) return sq_err_set(err, SQ_E_USAGE, "--sweep: over %d bytes", SQ_SWEEP_POINT_BYTES);
    sweep->count++;
    return 0;
}

/* A number and its unit; the end of both, or NULL. */
static const char *number(const char *text, double *value, char unit[UNIT_BYTES])
{
    char *end;
    *value = strtod(text, &end);
    size_t unit_bytes = strcspn(end, ":");
    if (end == text || !isfinite(*value) || unit_bytes >= UNIT_BYTES) return NULL;
    memcpy(unit, end, unit_bytes);
    unit[unit_bytes] = '\0';
    return end + unit_bytes;
}

static int read_range(struct range *range, const char *values)
{
    char to_unit[UNIT_BYTES], step_unit[UNIT_BYTES];
    const char *at = number(values, &range->from, range->unit);
    if (!at || *at++ != ':') return 0;
    at = number(at, &range->to, to_unit);
    if (!at || *at++ != ':') return 0;
    at = number(at, &range->step, step_unit);
    if (!at || *at) return 0;
    return strcmp(range->unit, to_unit) == 0 && strcmp(range->unit, step_unit) == 0 && range->step > 0 && range->to >= range->from;
}

/* Steps are counted, not added up, so that the last point is met. */
static int add_range(struct sq_sweep *sweep, const char *text, const struct range *range, struct sq_err *err)
{
    double steps = floor((range->to - range->from) / range->step + 1e-9);
    if (steps >= SQ_SWEEP_POINTS_MAX) return sq_err_set(err, SQ_E_USAGE, "--sweep %s: more than %d points", text, SQ_SWEEP_POINTS_MAX);
    for (int i = 0; i <= (int)steps; i++) {
        char value[64];
        int bytes = snprintf(value, sizeof value, "%.9g%s", range->from + i * range->step, range->unit);
        int status = add(sweep, text, value, (size_t)bytes, err);
        if (status) return status;
    }
    return 0;
}

int sq_sweep_parse(struct sq_sweep *sweep, const char *text, struct sq_err *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) return sq_err_set(err, SQ_E_USAGE, "--sweep %s: expected path=a:b:step or path=a,b,c", text);
    *sweep = (struct sq_sweep){.path_bytes = (size_t)(equals - text)};
    struct range range;
    if (read_range(&range, equals + 1)) return add_range(sweep, text, &range, err);
    if (strchr(equals, ':')) return sq_err_set(err, SQ_E_USAGE, "--sweep %s: a range is from:to:step, numbers with the same unit, upwards", text);
    for (const char *at = equals + 1;; at++) {
        size_t bytes = strcspn(at, ",");
        int status = add(sweep, text, at, bytes, err);
        if (status) return status;
        at += bytes;
        if (*at == '\0') return 0;
    }
}
