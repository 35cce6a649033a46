/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/sample.h"

#include "worker/core/siphash.h"

bool sq_sample_takes(double share, struct sq_str entity, const struct sq_coordinates *source)
{
    struct sq_siphash hash;
    if (share >= 1) return true;
    sq_siphash_init(&hash);
    sq_siphash_take_part(&hash, SQ_STR("sample"));
    sq_siphash_take_part(&hash, entity);
    sq_siphash_take_part(&hash, source->topic);
    sq_siphash_take_number(&hash, (uint64_t)source->partition);
    sq_siphash_take_number(&hash, (uint64_t)source->offset);
    return (double)(sq_siphash_end(&hash) >> 11) * 0x1p-53 < share;
}
