/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that name something for good. */
#ifndef SQ_BASE_UNIQUE_H
#define SQ_BASE_UNIQUE_H

#include <stdint.h>

/* Unlike every other one, in this process and elsewhere; not 0. No secret. One thread. */
uint64_t sq_unique_number(void);

#endif
