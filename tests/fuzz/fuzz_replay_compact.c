/* SPDX-License-Identifier: Apache-2.0 */
/* Files in the compact form of scores: read to their end or to an error, never a score the detector may not be given. */
#include <stdlib.h>

#include "engine/base/time_text.h"
#include "tests/fuzz/require.h"
#include "worker/cli/replay_compact.h"

SOUND_AT_LEAST(1);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
    struct sq_lines lines = {.file = -1, .name = "input", .bytes_max = 1000, .at_end = true};
    struct sq_compact compact;
    struct sq_score score = {0};
    struct sq_str labels[SQ_SCORE_LABELS_MAX];
    struct sq_err err;
    sq_buf_append(&lines.buf, data, bytes);
    REQUIRE(sq_compact_open(&compact, &err) == 0);
    int status = sq_compact_detect(&compact, &lines, &err);
    while (status == 1 && (status = sq_compact_read(&compact, &lines, &score, labels, &err)) == 1) {
        REQUIRE(score.entity.bytes > 0 && score.entity.bytes <= SQ_ENTITY_BYTES_MAX);
        REQUIRE(score.event_time_ms >= 0 && score.event_time_ms <= SQ_TIME_MS_MAX);
        REQUIRE(score.score >= 0 && score.score <= 1 && score.probabilities_count <= SQ_SCORE_LABELS_MAX);
        for (unsigned i = 0; i < score.probabilities_count; i++) REQUIRE(score.probabilities[i] >= 0 && score.probabilities[i] <= 1);
    }
    sq_fuzz_sound += score.entity.bytes > 0; /* read some */
    REQUIRE(status == 0 || (status == SQ_E_IO && err.message[0]));
    sq_compact_close(&compact);
    sq_lines_close(&lines);
    return 0;
}
