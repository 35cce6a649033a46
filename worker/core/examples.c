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

/* By time, then by coordinates. */
static int by_place(const struct sq_example *a, const struct sq_example *b)
{
    if (a->ts_ms != b->ts_ms) return a->ts_ms < b->ts_ms ? -1 : 1;
    if (a->partition != b->partition) return a->partition < b->partition ? -1 : 1;
    if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
    return strcmp(a->topic, b->topic);
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

/* Among equals the later one, so that it never depends on the slots. */
static bool is_weaker(const struct sq_example *a, const struct sq_example *b)
{
    if (a->score < b->score || a->score > b->score) return a->score < b->score;
    return by_place(a, b) > 0;
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
            if (!weakest || is_weaker(example, weakest)) weakest = example;
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

static void write_example(struct sq_example *example, const char *topic, const struct sq_score *score)
{
    if (!make_room(example, score->id.bytes + score->excerpt.bytes + 1)) return;
    if (score->id.bytes) memcpy(example->text, score->id.data, score->id.bytes);
    if (score->excerpt.bytes) memcpy(example->text + score->id.bytes, score->excerpt.data, score->excerpt.bytes);
    example->topic = topic;
    example->partition = score->source.partition;
    example->offset = score->source.offset;
    example->ts_ms = score->event_time_ms;
    example->text_hash = score->text_hash;
    example->score = score->score;
    example->id_bytes = (uint16_t)score->id.bytes;
    example->excerpt_bytes = (uint16_t)score->excerpt.bytes;
}

void sq_examples_take(struct sq_examples *examples, const struct sq_score *score, const char *topic, int64_t keep_ms)
{
    struct sq_example *example = place_for(examples, score, keep_ms);
    if (!example) return;
    struct sq_score fitting = *score;
    if (fitting.id.bytes > SQ_ID_BYTES_MAX) fitting.id.bytes = 0;
    fitting.excerpt.bytes = excerpt_bytes(score->excerpt);
    write_example(example, topic, &fitting);
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
    return by_place(a, b);
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

/* ---- In a fixed order ---- */

static int by_place_indirect(const void *left, const void *right)
{
    const struct sq_example *const *a = left, *const *b = right;
    return by_place(*a, *b);
}

/* Those of [from_ms, to_ms), sorted; how many. */
static unsigned sorted(const struct sq_examples *examples, int64_t from_ms, int64_t to_ms, const struct sq_example *out[SQ_EXAMPLES_MAX])
{
    unsigned count = 0;
    for (uint32_t i = 0; i < examples->count; i++)
        if (examples->items[i].topic && examples->items[i].ts_ms >= from_ms && examples->items[i].ts_ms < to_ms) out[count++] = &examples->items[i];
    if (count > 0) qsort(out, count, sizeof *out, by_place_indirect);
    return count;
}

unsigned sq_examples_texts(const struct sq_examples *examples, int64_t from_ms, int64_t to_ms, struct sq_str out[SQ_EXAMPLES_MAX])
{
    const struct sq_example *kept[SQ_EXAMPLES_MAX];
    unsigned count = sorted(examples, from_ms, to_ms, kept);
    for (unsigned i = 0; i < count; i++) out[i] = (struct sq_str){kept[i]->text + kept[i]->id_bytes, kept[i]->excerpt_bytes};
    return count;
}

static void put_example(struct sq_buf *out, const struct sq_example *example, const char *topic_before, int64_t from_ms)
{
    bool same_topic = topic_before && strcmp(topic_before, example->topic) == 0;
    sq_bytes_put_number(out, same_topic);
    if (!same_topic) sq_bytes_put_str(out, sq_str_view(example->topic));
    sq_bytes_put_signed(out, example->partition);
    sq_bytes_put_signed(out, example->offset);
    sq_bytes_put_signed(out, example->ts_ms - from_ms);
    sq_bytes_put_fixed(out, example->text_hash);
    sq_bytes_put_floats(out, &example->score, 1);
    sq_bytes_put_str(out, (struct sq_str){example->text, example->id_bytes});
    sq_bytes_put_str(out, (struct sq_str){example->text + example->id_bytes, example->excerpt_bytes});
}

void sq_examples_put(struct sq_buf *out, const struct sq_examples *examples, int64_t from_ms)
{
    const struct sq_example *kept[SQ_EXAMPLES_MAX];
    unsigned count = sorted(examples, from_ms, INT64_MAX, kept);
    sq_bytes_put_signed(out, from_ms);
    sq_bytes_put_number(out, count);
    for (unsigned i = 0; i < count; i++) put_example(out, kept[i], i > 0 ? kept[i - 1]->topic : NULL, from_ms);
}

void sq_examples_take_saved(struct sq_bytes *bytes, struct sq_examples *examples, struct sq_topics *topics)
{
    int64_t from_ms = sq_bytes_time(bytes, 0);
    uint64_t count = sq_bytes_number_to(bytes, SQ_EXAMPLES_MAX);
    const char *topic = "";
    for (uint64_t i = 0; i < count && !bytes->failed; i++) {
        bool same_topic = sq_bytes_number_to(bytes, 1);
        if (!same_topic) topic = sq_topics_intern(topics, sq_bytes_str(bytes, SQ_TOPIC_NAME_BYTES_MAX));
        struct sq_score score = {0};
        score.source.partition = (int32_t)sq_bytes_signed(bytes);
        score.source.offset = sq_bytes_signed(bytes);
        score.event_time_ms = sq_bytes_time(bytes, from_ms);
        score.text_hash = sq_bytes_fixed(bytes);
        sq_bytes_floats(bytes, &score.score, 1);
        score.id = sq_bytes_str(bytes, SQ_ID_BYTES_MAX);
        score.excerpt = sq_bytes_str(bytes, SQ_EXAMPLE_EXCERPT_BYTES_MAX);
        struct sq_example *example = bytes->failed ? NULL : append(examples);
        if (example) write_example(example, topic, &score);
    }
}

void sq_examples_deinit(struct sq_examples *examples)
{
    for (uint32_t i = 0; i < examples->count; i++) free(examples->items[i].text);
    free(examples->items);
    *examples = (struct sq_examples){0};
}
