/* SPDX-License-Identifier: Apache-2.0 */
/* The grain of saved state: small numbers in few bytes, floats to the bit, and reading that never trusts what it reads. */
#ifndef SQ_CORE_BYTES_H
#define SQ_CORE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buf.h"

/* Little endian, seven bits a byte; at most ten bytes. */
void sq_bytes_put_number(struct sq_buf *out, uint64_t number);
/* Small in either direction: 0, -1, 1, -2, ... */
void sq_bytes_put_signed(struct sq_buf *out, int64_t number);
void sq_bytes_put_fixed(struct sq_buf *out, uint64_t number); /* eight bytes */
void sq_bytes_put_real(struct sq_buf *out, double real);
void sq_bytes_put_str(struct sq_buf *out, struct sq_str str); /* its length first */
/* At most 32: a mask of those that are not 0, then these. */
void sq_bytes_put_floats(struct sq_buf *out, const float *floats, unsigned count);

/* Reading: after the first thing that isn't there all else reads as 0, and `failed` says so. */
struct sq_bytes {
    const char *at, *end;
    bool failed;
};

uint64_t sq_bytes_number(struct sq_bytes *bytes);
uint64_t sq_bytes_number_to(struct sq_bytes *bytes, uint64_t max); /* fails above it */
int64_t sq_bytes_signed(struct sq_bytes *bytes);
/* A signed number on top of a time: fails unless the sum is a time within 35,000 years of 1970. */
int64_t sq_bytes_time(struct sq_bytes *bytes, int64_t base);
uint64_t sq_bytes_fixed(struct sq_bytes *bytes);
double sq_bytes_real(struct sq_bytes *bytes);                      /* fails unless finite */
struct sq_str sq_bytes_str(struct sq_bytes *bytes, size_t bytes_max); /* borrowed */
void sq_bytes_floats(struct sq_bytes *bytes, float *floats, unsigned count); /* fails unless all are within 1e18 */

/* Everything was there, and nothing is left. */
bool sq_bytes_is_done(const struct sq_bytes *bytes);

#endif
