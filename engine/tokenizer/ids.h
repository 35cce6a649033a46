/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of a text so far, of which only the first ids_max are kept: one more than fits is how a cut is noticed. */
#ifndef SQ_ENGINE_TOKENIZER_IDS_H
#define SQ_ENGINE_TOKENIZER_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sq_ids {
    int32_t *ids;
    size_t count;
    size_t ids_max;
};

static inline void sq_ids_add(struct sq_ids *ids, int32_t id)
{
    if (ids->count < ids->ids_max) ids->ids[ids->count] = id;
    ids->count++;
}

static inline bool sq_ids_is_full(const struct sq_ids *ids) { return ids->count > ids->ids_max; }

#endif
