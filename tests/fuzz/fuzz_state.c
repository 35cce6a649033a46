/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a saved partition: refused, or restored into a detector that takes records and saves again. The first byte chooses: a meta, or a
 * state beside a sound meta. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/require.h"
#include "worker/core/state_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

SOUND_AT_LEAST(8);

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static const struct sq_rule rule = {
    .name = "R", .label = "negative", .windows_ms = {15 * MINUTE, HOUR}, .windows_count = 2, .budget_per_entity_week = 1, .min_messages = 1,
    .min_matched = 1, .min_lift_ratio = 1, .max_per_text = 3, .max_per_author = 3, .half_life_ms = 7 * 24 * HOUR, .guard_ms = HOUR,
    .resolve_after_ms = 30 * MINUTE, .expire_after_ms = 6 * HOUR, .reopen_within_ms = 6 * HOUR, .near_copies = true};
static const int64_t start_ms = 1767225600000;

static struct sq_detector *detector_open(void)
{
    const struct sq_detector_options options = {
        .app = "f", .mode = "replay", .rules = &rule, .rules_count = 1, .model_name = "",
        .time = {.bucket_ms = MINUTE, .watermark_delay_ms = 30000, .idle_after_ms = MINUTE, .allowed_lateness_ms = 10 * MINUTE}};
    struct sq_detector *detector;
    struct sq_err err;
    REQUIRE(sq_detector_open(&detector, &options, &err) == 0);
    return detector;
}

static void feed(struct sq_detector *detector, int64_t from_ms, int records)
{
    for (int i = 0; i < records; i++) {
        struct sq_err err;
        const struct sq_score score = {.source = {{"t", 1}, 0, i}, .entity = {"a", 1}, .event_time_ms = from_ms + i * INT64_C(20000),
                                       .label = {"negative", 8}, .score = 0.9f, .excerpt = {"x", 1}, .text_hash = (uint64_t)i + 1};
        REQUIRE(sq_detector_take(detector, &score, score.event_time_ms, NULL, NULL, &err) == 0);
    }
}

static int ignore(const struct sq_saved_state *state, void *ctx)
{
    (void)state, (void)ctx;
    return 0;
}

/* A meta that a state can stand beside. */
static struct sq_str sound_meta(void)
{
    static struct sq_buf meta;
    if (meta.bytes > 0) return sq_buf_view(&meta);
    struct sq_err err;
    struct sq_detector *detector = detector_open();
    sq_buf_init(&meta);
    feed(detector, start_ms, 300);
    REQUIRE(sq_detector_save(detector, ignore, NULL, &meta, &err) == 0);
    sq_detector_close(detector);
    return sq_buf_view(&meta);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) return 0;
    struct sq_err err;
    struct sq_detector *detector = detector_open();
    const struct sq_str rest = {(const char *)data + 1, bytes - 1};
    const struct sq_saved_state state = {.rule = {"R", 1}, .entity = {"a", 1}, .data = rest};
    bool is_meta = data[0] & 1;
    int code = is_meta ? sq_detector_restore_meta(detector, rest, &err) : sq_detector_restore_state(detector, &state, &err);
    if (!code && !is_meta) code = sq_detector_restore_meta(detector, sound_meta(), &err);
    if (!code) code = sq_detector_restore_end(detector, NULL, NULL, &err);
    REQUIRE(code == 0 || code == SQ_E_DECODE);
    if (code == 0) {
        sq_fuzz_sound++;
        struct sq_buf meta;
        sq_buf_init(&meta);
        REQUIRE(sq_detector_save(detector, ignore, NULL, &meta, &err) == 0);
        int64_t watermark_ms = sq_detector_watermark_ms(detector);
        if (watermark_ms >= 0 && watermark_ms < 253402000000000 - 10 * HOUR) feed(detector, watermark_ms + MINUTE, 30);
        REQUIRE(sq_detector_save(detector, ignore, NULL, &meta, &err) == 0);
        sq_buf_deinit(&meta);
    }
    sq_detector_close(detector);
    return 0;
}
