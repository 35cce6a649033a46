/* SPDX-License-Identifier: Apache-2.0 */
/* The element types of safetensors, and the three that weights come in. */
#ifndef SQ_MODEL_DTYPE_H
#define SQ_MODEL_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kernels/kernels.h"

/* Takes `count` little-endian elements over into values. bytes may be unaligned. Returns false when one is infinite or not a number. */
typedef bool (*sq_dtype_take_fn)(void *values, const unsigned char *bytes, size_t count);

struct sq_dtype {
    const char *name;
    unsigned bits;
    sq_dtype_take_fn convert; /* to fp32; NULL: not a type for weights */
    sq_dtype_take_fn keep;    /* as they are; where convert is */
    enum sq_table_type table; /* what they are then */
};

/* NULL when the name is not in the format. */
const struct sq_dtype *sq_dtype_find(const char *name);

#endif
