/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), for signatures of what is sent. Pure. */
#ifndef SQ_BASE_SHA256_H
#define SQ_BASE_SHA256_H

#include "engine/base/str.h"

enum { SQ_SHA256_BYTES = 32, SQ_SHA256_HEX_BYTES = 2 * SQ_SHA256_BYTES + 1 };

void sq_sha256(struct sq_str data, unsigned char digest[SQ_SHA256_BYTES]);

/* In lower-case hexadecimal, with a NUL. */
void sq_hmac_sha256_hex(struct sq_str key, struct sq_str data, char hex[SQ_SHA256_HEX_BYTES]);

#endif
