/* SPDX-License-Identifier: Apache-2.0 */
/* uthash, with additions that can fail: its own answer to a full memory is exit(-1). After HASH_ADD and its kin, SQ_HASH_ADDED says whether
 * the element is in the table; where it isn't, it is still the caller's. */
#ifndef SQ_BASE_HASH_H
#define SQ_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define SQ_HASH_ADDED(element) ((element)->hh.tbl != NULL)

#endif
