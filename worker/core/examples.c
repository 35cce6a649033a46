/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/core/examples.h"

#include <stdlib.h>

#include "worker/core/plan.h"

enum { CAPACITY_MIN = 6 };

static bool is_same_text(const struct sq_example *example, const struct sq_score *score)
{
    if (!example->topic || example->text_hash != score->text_hash) return false;
    struct sq_str excerpt = {example->text + example->id_bytes, example->excerpt_bytes};
    return score->text_hash != 0 || (excerpt.bytes > 0 && sq_str_equal(excerpt, score->excerpt));
}

/* A slot at the end, or NULL. */
static struct sq_example *append(struct sq_examples *examples)
{
    if (examples->count == examples->capacity) {
        uint32_t capacity = examples->capacity ? 2 * examples->capacity : CAPACITY_MIN;
        struct sq_example *items = capacity <= SQ_EXAMPLES_MAX ? realloc(examples->items, capacity * sizeof *items) : NULL;
        if (!items) return NULL;
        examples->items = items;
        examples->capacity = capacity;
    }
    struct sq_example *example = &examples->items[examples->count++];
    *example = (struct sq_example){0};
    return example;
}

/* The slot to write to, or NULL when the new one is no better than what is there. */
static struct sq_example *place_for(struct sq_examples *examples, const struct sq_score *score, int64_t keep_ms)
{
    struct sq_example *gone = NULL, *weakest = NULL;
    unsigned of_block = 0;
    for (uint32_t i = 0; i < examples->count; i++) {
        struct sq_example *example = &examples->items[i];
        bool may_go = !example->topic || example->ts_ms < keep_ms;
        if (is_same_text(example, score)) return may_go ? example : NULL;
        if (may_go) {
            gone = example;
        } else if (example->ts_ms / SQ_BLOCK_MS == score->event_time_ms / SQ_BLOCK_MS) {
            of_block++;
            if (!weakest || example->score < weakest->score) weakest = example;
        }
    }
    if (of_block >= SQ_EXAMPLES_PER_BLOCK) return weakest->score < score->score ? weakest : NULL;
    return gone ? gone : append(examples);
}

static bool make_room(struct sq_example *example, size_t bytes)
{
    if (bytes <= example->room_bytes) return true;
    char *text = realloc(example->text, bytes);
    if (!text) return false;
    example->text = text;
    example->room_bytes = (uint16_t)bytes;
    return true;
}

/* Cut at a character. */
static size_t excerpt_bytes(struct sq_str excerpt)
{
    if (excerpt.bytes <= SQ_EXAMPLE_EXCERPT_BYTES_MAX) return excerpt.bytes;
    size_t bytes = SQ_EXAMPLE_EXCERPT_BYTES_MAX;
    while (bytes && ((unsigned char)excerpt.data[bytes] & 0xc0) == 0x80) bytes--;
    return bytes;
}

void sq_examples_take(struct sq_examples *examples, const struct sq_score *score, const char *topic, int64_t keep_ms)
{
    struct sq_example *example = place_for(examples, score, keep_ms);
    if (!example) return;
    size_t id_bytes = score->id.bytes <= SQ_ID_BYTES_MAX ? score->id.bytes : 0;
    size_t text_bytes = excerpt_bytes(score->excerpt);
    if (!make_room(example, id_bytes + text_bytes + 1)) return;
    if (id_bytes) memcpy(example->text, score->id.data, id_bytes);
    if (text_bytes) memcpy(example->text + id_bytes, score->excerpt.data, text_bytes);
    example->topic = topic;
    example->partition = score->source.partition;
    example->offset = score->source.offset;
    example->ts_ms = score->event_time_ms;
    example->text_hash = score->text_hash;
    example->score = score->score;
    example->id_bytes = (uint16_t)id_bytes;
    example->excerpt_bytes = (uint16_t)text_bytes;
}

/* A candidate for the alert. */
struct candidate {
    const struct sq_example *example;
    bool within;
};

/* Among equals the earlier, then the lower coordinates, so that the order never depends on the slots. */
static int by_rank(const void *left, const void *right)
{
    const struct candidate *l = left, *r = right;
    const struct sq_example *a = l->example, *b = r->example;
    if (l->within != r->within) return l->within ? -1 : 1;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    if (a->ts_ms != b->ts_ms) return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->partition != b->partition) return a->partition < b->partition ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

unsigned sq_examples_list(const struct sq_examples *examples, int64_t from_ms, int64_t within_ms, int64_t to_ms, struct sq_str label,
                          struct sq_alert_example out[SQ_ALERT_EXAMPLES_MAX])
{
    struct candidate candidates[SQ_EXAMPLES_MAX];
    unsigned count = 0;
    for (uint32_t i = 0; i < examples->count; i++) {
        const struct sq_example *example = &examples->items[i];
        if (!example->topic || example->ts_ms < from_ms || example->ts_ms >= to_ms) continue;
        candidates[count++] = (struct candidate){example, example->ts_ms >= within_ms};
    }
    qsort(candidates, count, sizeof *candidates, by_rank);
    if (count > SQ_ALERT_EXAMPLES_MAX) count = SQ_ALERT_EXAMPLES_MAX;
    for (unsigned i = 0; i < count; i++) {
        const struct sq_example *example = candidates[i].example;
        out[i] = (struct sq_alert_example){
            .source = {sq_str_view(example->topic), example->partition, example->offset},
            .ts_ms = example->ts_ms,
            .id = {example->text, example->id_bytes},
            .label = label,
            .score = example->score,
            .excerpt = {example->text + example->id_bytes, example->excerpt_bytes},
        };
    }
    return count;
}

void sq_examples_deinit(struct sq_examples *examples)
{
    for (uint32_t i = 0; i < examples->count; i++) free(examples->items[i].text);
    free(examples->items);
    *examples = (struct sq_examples){0};
}
