/* SPDX-License-Identifier: Apache-2.0 */
/* Kafka's key hash, as the Java client's default partitioner computes it: so an entity's scores land where any Java producer with the
 * same key would put them. */
#ifndef SQ_BASE_MURMUR2_H
#define SQ_BASE_MURMUR2_H

#include <stdint.h>

#include "engine/base/str.h"

uint32_t sq_murmur2(struct sq_str key);

/* (murmur2 & 0x7fffffff) mod partitions */
int32_t sq_partition_of(struct sq_str key, int32_t partitions);

#endif
