/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_script.h"

#include <stdlib.h>

#include "engine/base/json.h"

enum {
    WAVE_BEGIN_MS = 12 * 3600 * 1000 + 30 * 60 * 1000,
    WAVE_MS = 60 * 60 * 1000,
    WAVE_SHARE = 24,     /* one text in so many is a complaint of the wave */
    WAVE_TEXTS_MAX = 400,
    AUTHORS = 4000,
};

const char sq_demo_entity[] = "acme";

/* How much is said about each, and how many of a hundred texts are negative by human rating. */
static const struct {
    const char *name;
    unsigned weight, negative;
} entities[SQ_DEMO_ENTITIES] = {
    {sq_demo_entity, 14, 12}, {"borealis", 16, 10}, {"cobalt", 12, 16}, {"dunmore", 12, 8},
    {"eastline", 14, 18},     {"fennel", 10, 8},    {"gridstone", 12, 14}, {"harbor", 10, 12},
};

#define BAD(literal) {literal, sizeof literal - 1}
static const struct sq_str bad_values[] = {
    BAD("{\"text\":\"cut in the mid"),
    BAD("{\"entity\":\"cobalt\",\"author\":\"ann\"}"),
    BAD("{\"text\":42,\"entity\":\"fennel\"}"),
    BAD("{\"text\":\"caf\xe9\",\"entity\":\"harbor\"}"),
    BAD("{\"text\":\"   \",\"entity\":\"dunmore\"}"),
    BAD("\0\0\0\0"),
    BAD("{\"text\":\"fine\",\"entity\":\"acme\",\"ts\":\"yesterday\"}"),
    {NULL, 0},
};
enum { BAD_COUNT = sizeof bad_values / sizeof *bad_values };

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t random_below(uint64_t *state, uint64_t bound) { return next_random(state) % bound; }

/* Texts of one mood in random order, dealt without repeating one before all were dealt. */
struct pool {
    const struct sq_demo_text **items;
    size_t count, next;
};

enum mood { USUAL, UNHAPPY, COMPLAINT, MOODS };

static bool has_mood(const struct sq_demo_text *text, enum mood mood)
{
    switch (mood) {
    case USUAL: return text->rating >= 0.1f;
    case UNHAPPY: return text->rating <= -1.0f && text->kind != SQ_DEMO_PRODUCT;
    case COMPLAINT: return text->rating <= -1.5f && text->kind == SQ_DEMO_PRODUCT && text->text.bytes >= 30;
    case MOODS: break;
    }
    return false;
}

static int fill_pool(struct pool *pool, const struct sq_demo_texts *texts, enum mood mood, uint64_t *random, struct sq_err *err)
{
    *pool = (struct pool){.items = calloc(texts->count, sizeof *pool->items)};
    if (!pool->items) return sq_err_set(err, SQ_E_NOMEM, "no memory for the demo's script");
    for (size_t i = 0; i < texts->count; i++)
        if (has_mood(&texts->items[i], mood)) pool->items[pool->count++] = &texts->items[i];
    if (pool->count == 0) return sq_err_set(err, SQ_E_IO, "the demo's texts lack a mood: ops/data/vader is not what was shipped");
    for (size_t i = pool->count - 1; i > 0; i--) {
        size_t j = random_below(random, i + 1);
        const struct sq_demo_text *other = pool->items[j];
        pool->items[j] = pool->items[i];
        pool->items[i] = other;
    }
    return 0;
}

static const struct sq_demo_text *deal(struct pool *pool) { return pool->items[pool->next++ % pool->count]; }

/* `count` posts about an entity, spread evenly over a span with some jitter; the unhappy ones are spread evenly too, so that what is usual
 * for an entity stays usual. */
static void add_posts(struct sq_demo_script *script, const char *entity, unsigned count, unsigned negative_percent, struct pool *unhappy,
                      struct pool *usual, int64_t begin_ms, int64_t span_ms, uint64_t *random)
{
    unsigned due = (unsigned)random_below(random, 100);
    for (unsigned i = 0; i < count; i++) {
        due += negative_percent;
        bool is_unhappy = due >= 100;
        if (is_unhappy) due -= 100;
        int64_t slot_ms = span_ms / count;
        script->posts[script->count++] = (struct sq_demo_post){
            .ts_ms = begin_ms + span_ms * i / count + (int64_t)random_below(random, (uint64_t)slot_ms + 1),
            .entity = entity,
            .text = deal(is_unhappy ? unhappy : usual),
            .author = (uint32_t)random_below(random, AUTHORS),
        };
    }
}

static int compare_posts(const void *a, const void *b)
{
    const struct sq_demo_post *x = a, *y = b;
    if (x->ts_ms != y->ts_ms) return x->ts_ms < y->ts_ms ? -1 : 1;
    return (x->author > y->author) - (x->author < y->author);
}

static void write_script(struct sq_demo_script *script, unsigned texts_count, struct pool pools[MOODS], int64_t begin_ms, uint64_t *random)
{
    unsigned weights = 0, wave = texts_count / WAVE_SHARE < WAVE_TEXTS_MAX ? texts_count / WAVE_SHARE : WAVE_TEXTS_MAX;
    for (unsigned i = 0; i < SQ_DEMO_ENTITIES; i++) weights += entities[i].weight;
    add_posts(script, sq_demo_entity, wave, 90, &pools[COMPLAINT], &pools[USUAL], begin_ms + WAVE_BEGIN_MS, WAVE_MS, random);
    for (unsigned i = 0, left = texts_count - wave; i < SQ_DEMO_ENTITIES; i++) {
        unsigned count = i + 1 < SQ_DEMO_ENTITIES ? (texts_count - wave) * entities[i].weight / weights : left;
        add_posts(script, entities[i].name, count, entities[i].negative, &pools[UNHAPPY], &pools[USUAL], begin_ms, SQ_DEMO_SPAN_MS, random);
        left -= count;
    }
    script->texts_count = script->count;
    for (unsigned i = 0; i < BAD_COUNT; i++)
        script->posts[script->count++] = (struct sq_demo_post){
            .ts_ms = begin_ms + (int64_t)SQ_DEMO_SPAN_MS * (2 * i + 1) / (2 * BAD_COUNT), .entity = sq_demo_entity, .bad = &bad_values[i]};
    qsort(script->posts, script->count, sizeof *script->posts, compare_posts);
}

int sq_demo_script_init(struct sq_demo_script *script, const struct sq_demo_texts *texts, unsigned texts_count, uint64_t seed, int64_t end_ms,
                        struct sq_err *err)
{
    struct pool pools[MOODS] = {0};
    uint64_t random = seed;
    *script = (struct sq_demo_script){.posts = calloc(texts_count + BAD_COUNT, sizeof *script->posts)};
    int status = script->posts ? 0 : sq_err_set(err, SQ_E_NOMEM, "no memory for the demo's script");
    for (unsigned mood = 0; status == 0 && mood < MOODS; mood++) status = fill_pool(&pools[mood], texts, mood, &random, err);
    if (status == 0) write_script(script, texts_count, pools, end_ms - SQ_DEMO_SPAN_MS, &random);
    else sq_demo_script_deinit(script);
    for (unsigned mood = 0; mood < MOODS; mood++) free(pools[mood].items);
    return status;
}

void sq_demo_script_deinit(struct sq_demo_script *script)
{
    free(script->posts);
    *script = (struct sq_demo_script){0};
}

struct sq_str sq_demo_post_write(const struct sq_demo_post *post, struct sq_buf *out)
{
    if (post->bad) return *post->bad;
    sq_buf_clear(out);
    sq_buf_append_text(out, "{");
    sq_json_write_key(out, "text");
    sq_json_write_str(out, post->text->text);
    sq_json_write_key(out, "entity");
    sq_json_write_str(out, sq_str_view(post->entity));
    sq_buf_printf(out, ",\"ts\":%lld,\"author\":\"user-%u\",\"id\":\"%s-", (long long)post->ts_ms, (unsigned)post->author,
                  sq_demo_kind_words[post->text->kind]);
    sq_buf_append_str(out, post->text->id);
    sq_buf_append_text(out, "\"}");
    return sq_buf_view(out);
}
