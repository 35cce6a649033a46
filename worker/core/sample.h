/* SPDX-License-Identifier: Apache-2.0 */
/* Which records are scored while not all can be: a share of each entity's, chosen by a hash of where the record stands. So the choice is the
 * same wherever and how often it is made, says nothing about the text, and who is chosen at a small share is chosen at a larger one. Pure. */
#ifndef SQ_CORE_SAMPLE_H
#define SQ_CORE_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/records.h"

/* share: in (0, 1]. */
bool sq_sample_takes(double share, struct sq_str entity, const struct sq_coordinates *source);

#endif
