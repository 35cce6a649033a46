/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of `squall replay --scores-in`: refused with a reason, or a score that the detector may be given, which reads the same again once
 * written. */
#include "tests/fuzz/require.h"
#include "worker/cli/replay_line.h"

static void check_again(const struct sq_score *score)
{
    static const char *const labels[] = {"a", "b"};
    struct sq_score copy = *score, again;
    struct sq_buf line;
    struct sq_err err;
    json_t *root = NULL;
    copy.probabilities_count = copy.probabilities_count < 2 ? copy.probabilities_count : 2;
    if (!copy.label.data) copy.label = SQ_STR("");
    sq_buf_init(&line);
    sq_replay_line_write(&line, &copy, (struct sq_str){0}, labels);
    REQUIRE(!sq_buf_failed(&line) && sq_replay_line_read(sq_buf_view(&line), &root, &again, &err) == 0);
    REQUIRE(sq_str_equal(again.entity, copy.entity) && again.text_hash == copy.text_hash);
    /* Below 1e11 a number means seconds, so what lay there in milliseconds moves. */
    REQUIRE(copy.event_time_ms < INT64_C(100000000000) || again.event_time_ms == copy.event_time_ms);
    json_decref(root);
    sq_buf_deinit(&line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
    struct sq_score score = {0};
    struct sq_err err;
    json_t *root = NULL;
    int status = sq_replay_line_read((struct sq_str){(const char *)data, bytes}, &root, &score, &err);
    if (status) {
        REQUIRE(sq_err_class(status) == SQ_CLASS_POISON && err.message[0]);
        return 0;
    }
    REQUIRE(score.entity.bytes > 0 && score.entity.bytes <= SQ_ENTITY_BYTES_MAX);
    REQUIRE(score.event_time_ms >= 0 && score.event_time_ms <= INT64_C(253402300799999));
    REQUIRE(score.score >= 0 && score.score <= 1 && score.probabilities_count <= SQ_SCORE_LABELS_MAX);
    check_again(&score);
    json_decref(root);
    return 0;
}
