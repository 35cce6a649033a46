/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a score record: refused, or decoded into what codec.h promises and encoded into a record that decodes the same. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/utf8.h"
#include "proto/codec.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check(const struct sq_score *score)
{
    const struct sq_str texts[] = {score->source.topic, score->entity, score->label, score->id, score->excerpt};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) REQUIRE(sq_utf8_valid_bytes(texts[i]) == texts[i].bytes);
    REQUIRE(score->entity.bytes > 0 && score->entity.bytes <= SQ_ENTITY_BYTES_MAX);
    REQUIRE(score->probabilities_count <= SQ_SCORE_LABELS_MAX);
    for (unsigned i = 0; i < score->probabilities_count; i++) REQUIRE(score->probabilities[i] >= 0 && score->probabilities[i] <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sq_arena arena;
    struct sq_err err;
    struct sq_score score, again;
    if (!arena.base) REQUIRE(sq_arena_init(&arena, 4u << 20, &err) == 0);
    sq_arena_rewind(&arena, 0);
    int code = sq_score_decode((struct sq_str){(const char *)data, bytes}, &arena, &score, &err);
    if (code != 0) {
        REQUIRE(code == err.code && sq_err_class(code) == SQ_CLASS_POISON && arena.used_bytes == 0);
        return 0;
    }
    check(&score);
    struct sq_buf buf;
    sq_buf_init(&buf);
    REQUIRE(sq_score_encode(&score, &buf, &err) == 0);
    REQUIRE(sq_score_decode(sq_buf_view(&buf), &arena, &again, &err) == 0);
    REQUIRE(sq_str_equal(score.entity, again.entity) && sq_str_equal(score.excerpt, again.excerpt) && score.text_hash == again.text_hash);
    REQUIRE(score.source.offset == again.source.offset && score.event_time_ms == again.event_time_ms);
    sq_buf_deinit(&buf);
    return 0;
}
