/* SPDX-License-Identifier: Apache-2.0 */
/* The points of a sweep: `path=a:b:step` or `path=a,b,c`. Numbers of a range may carry a unit, the same one: 1d:7d:2d. */
#ifndef SQ_CLI_REPLAY_SWEEP_H
#define SQ_CLI_REPLAY_SWEEP_H

#include <stddef.h>

#include "engine/base/err.h"

enum { SQ_SWEEP_POINTS_MAX = 64, SQ_SWEEP_POINT_BYTES = 320 };

struct sq_sweep {
    char points[SQ_SWEEP_POINTS_MAX][SQ_SWEEP_POINT_BYTES]; /* as for --set: "path=value" */
    unsigned count;
    size_t path_bytes; /* of the path alone */
};

/* SQ_E_USAGE: not such a text, or more than SQ_SWEEP_POINTS_MAX points. */
int sq_sweep_parse(struct sq_sweep *sweep, const char *text, struct sq_err *err);

#endif
