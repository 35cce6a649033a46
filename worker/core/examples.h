/* SPDX-License-Identifier: Apache-2.0 */
/* The texts an alert shows: of the matching messages of late, the five the model was surest of, no text twice.
 *
 * A new one takes the place of the same text, of a free slot, of one that has left the shortest window, or of a weaker one. Not part of
 * any decision. Buffers are kept and grow to what they hold, so that a message costs no allocation once they have. */
#ifndef SQ_CORE_EXAMPLES_H
#define SQ_CORE_EXAMPLES_H

#include "proto/records.h"

enum { SQ_EXAMPLE_EXCERPT_BYTES_MAX = 4096 };

struct sq_example {
    const char *topic;   /* interned: lives as long as the detector; NULL: the slot is free */
    int64_t offset, ts_ms;
    uint64_t text_hash;
    char *text;          /* owned: the id, then the excerpt */
    int32_t partition;
    float score;
    uint16_t id_bytes, excerpt_bytes, room_bytes;
};

struct sq_examples {
    struct sq_example items[SQ_ALERT_EXAMPLES_MAX];
};

/* fresh_ms: what is older may go. Without memory the example is left out. */
void sq_examples_take(struct sq_examples *examples, const struct sq_score *score, const char *topic, int64_t fresh_ms);

/* Those of [from_ms, to_ms), strongest first; the strings are borrowed. Returns how many. */
unsigned sq_examples_list(const struct sq_examples *examples, int64_t from_ms, int64_t to_ms, struct sq_str label,
                          struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX]);

void sq_examples_deinit(struct sq_examples *examples);

#endif
