/* SPDX-License-Identifier: Apache-2.0 */
/* MPNet's relative positions: attention adds to each score a number of its head that depends on how far key and query are apart. The file
 * has it by bucket; distances up to 7 have one each way, further ones share. Source: MPNetEncoder of Hugging Face's transformers. */
#ifndef SQ_MODEL_POSITION_BIAS_H
#define SQ_MODEL_POSITION_BIAS_H

#include <stddef.h>

/* The bucket, of 32, for a key `distance` tokens behind the query (before it where negative). */
unsigned sq_position_bias_bucket(long distance);

/* Floats of a table by distance: [heads, 2 * positions - 1], distance d in column positions - 1 + d. */
size_t sq_position_bias_count(size_t heads, size_t positions);

/* buckets: [32, heads], as the file has them. */
void sq_position_bias_fill(float *table, const float *buckets, size_t heads, size_t positions);

#endif
