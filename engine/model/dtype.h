/* SPDX-License-Identifier: Apache-2.0 */
/* The element types of safetensors, and the three that weights come in. */
#ifndef SQ_MODEL_DTYPE_H
#define SQ_MODEL_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* Makes `count` little-endian elements fp32. bytes may be unaligned. Returns false when one is infinite or not a number. */
typedef bool (*sq_dtype_convert_fn)(float *values, const unsigned char *bytes, size_t count);

struct sq_dtype {
    const char *name;
    unsigned bits;
    sq_dtype_convert_fn convert; /* NULL: not a type for weights */
};

/* NULL when the name is not in the format. */
const struct sq_dtype *sq_dtype_find(const char *name);

#endif
