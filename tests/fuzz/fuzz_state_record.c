/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the state topic: the first byte says whether the rest is a key, a state or a meta. Refused, or it encodes into one that reads the
 * same. */
#include <stdint.h>
#include <string.h>

#include "proto/codec.h"
#include "tests/fuzz/require.h"

SOUND_AT_LEAST(5);

static struct sq_arena arena, arena_again; /* what was decoded lives until its arena is used again */
static struct sq_buf again;
static struct sq_err err;

static void check_key(struct sq_str key)
{
    struct sq_str rule, entity;
    if (!sq_state_key_decode(key, &rule, &entity)) return;
    int status = sq_state_key_encode(rule, entity, &again, &err);
    if (status == 0) REQUIRE(sq_str_equal(sq_buf_view(&again), key));
    else REQUIRE(status == SQ_E_TOO_LARGE && key.bytes > SQ_STATE_KEY_BYTES_MAX);
}

static void check_state(struct sq_str value)
{
    struct sq_state_record state, same;
    if (sq_state_decode(value, &arena, &state, &err)) {
        REQUIRE(err.code == SQ_E_DECODE && err.message[0]);
        return;
    }
    sq_fuzz_sound++;
    REQUIRE(sq_state_encode(&state, &again, &err) == 0);
    REQUIRE(sq_state_decode(sq_buf_view(&again), &arena_again, &same, &err) == 0);
    REQUIRE(same.version == state.version && same.last_event_time_ms == state.last_event_time_ms && same.lineage == state.lineage);
    REQUIRE(sq_str_equal(same.rule, state.rule) && sq_str_equal(same.entity, state.entity) && sq_str_equal(same.data, state.data));
}

static void check_meta(struct sq_str value)
{
    struct sq_state_meta meta, same;
    if (sq_state_meta_decode(value, &arena, &meta, &err)) {
        REQUIRE(err.code == SQ_E_DECODE && err.message[0]);
        return;
    }
    sq_fuzz_sound++;
    REQUIRE(sq_state_meta_encode(&meta, &again, &err) == 0);
    REQUIRE(sq_state_meta_decode(sq_buf_view(&again), &arena_again, &same, &err) == 0);
    REQUIRE(same.version == meta.version && same.next_offset == meta.next_offset && same.watermark_ms == meta.watermark_ms);
    REQUIRE(same.lineage == meta.lineage && sq_str_equal(same.data, meta.data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static void (*const checks[])(struct sq_str) = {check_key, check_state, check_meta};
    if (bytes == 0) return 0;
    if (!arena.base) REQUIRE(sq_arena_init(&arena, SQ_STATE_SCRATCH_BYTES, &err) == 0 && sq_arena_init(&arena_again, SQ_STATE_SCRATCH_BYTES, &err) == 0);
    sq_buf_clear(&again);
    checks[data[0] % 3]((struct sq_str){(const char *)data + 1, bytes - 1});
    return 0;
}
