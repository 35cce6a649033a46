/* SPDX-License-Identifier: Apache-2.0 */
/* The texts an alert shows: of the matching messages of late, those the model was surest of, no text twice.
 *
 * Of each block of 15 minutes the three strongest are kept, until the block has left the longest window. So there are enough for any window, and
 * a source that runs ahead takes nothing from the present. Not part of any decision. Slots and their buffers are used again, so that a
 * message costs no allocation once they have grown. */
#ifndef SQ_CORE_EXAMPLES_H
#define SQ_CORE_EXAMPLES_H

#include "proto/records.h"
#include "worker/core/bytes.h"
#include "worker/core/topics.h"

enum { SQ_EXAMPLES_PER_BLOCK = 3, SQ_EXAMPLES_MAX = 192, SQ_EXAMPLE_EXCERPT_BYTES_MAX = 4096 };

struct sq_example {
    const char *topic;   /* interned: lives as long as the detector */
    int64_t offset, ts_ms;
    uint64_t text_hash;
    char *text;          /* owned: the id, then the excerpt */
    int32_t partition;
    float score;
    uint16_t id_bytes, excerpt_bytes, room_bytes;
};

struct sq_examples {
    struct sq_example *items; /* owned */
    uint32_t count, capacity;
};

/* keep_ms: what is older may go. Without memory the example is left out. */
void sq_examples_take(struct sq_examples *examples, const struct sq_score *score, const char *topic, int64_t keep_ms);

/* Up to SQ_ALERT_EXAMPLES_MAX of [from_ms, to_ms): first those from within_ms on, then the others, strongest first. The strings are borrowed.
 * Returns how many. */
unsigned sq_examples_list(const struct sq_examples *examples, int64_t from_ms, int64_t within_ms, int64_t to_ms, struct sq_str label,
                          struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX]);

/* The texts of [from_ms, to_ms), by time and coordinates; at most SQ_EXAMPLES_MAX. Returns how many. */
unsigned sq_examples_texts(const struct sq_examples *examples, int64_t from_ms, int64_t to_ms, struct sq_str out[SQ_EXAMPLES_MAX]);

/* As saved state: those from from_ms on, in order of time and coordinates. */
void sq_examples_put(struct sq_buf *out, const struct sq_examples *examples, int64_t from_ms);
void sq_examples_take_saved(struct sq_bytes *bytes, struct sq_examples *examples, struct sq_topics *topics); /* without memory: fewer */

void sq_examples_deinit(struct sq_examples *examples);

#endif
