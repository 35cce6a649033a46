/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of `squall replay --scores-in`: refused with a reason, or a score that the detector may be given, which reads the same again once
 * written. */
#include "tests/fuzz/require.h"
#include "worker/cli/replay_line.h"

static void check_again(const struct sq_replay_line *read)
{
    const struct sq_str labels[] = {SQ_STR("a"), SQ_STR("b")};
    struct sq_score copy = read->score;
    struct sq_replay_line again = {.root = NULL};
    struct sq_buf line;
    struct sq_err err;
    copy.probabilities_count = copy.probabilities_count < 2 ? copy.probabilities_count : 2;
    if (!copy.label.data) copy.label = SQ_STR("");
    sq_buf_init(&line);
    sq_replay_line_write(&line, &copy, (struct sq_str){0}, labels);
    REQUIRE(!sq_buf_failed(&line) && sq_replay_line_read(&again, (struct sq_str){line.data, line.bytes - 1}, &err) == 0);
    REQUIRE(sq_str_equal(again.score.entity, copy.entity) && again.score.text_hash == copy.text_hash);
    /* Below 1e11 a number means seconds, so what lay there in milliseconds moves. */
    REQUIRE(copy.event_time_ms < INT64_C(100000000000) || again.score.event_time_ms == copy.event_time_ms);
    sq_replay_line_deinit(&again);
    sq_buf_deinit(&line);
}

/* What the scanner takes, the parser reads just so: a blank before it leads past the scanner. */
static void check_ways(const struct sq_replay_line *read, struct sq_str text)
{
    struct sq_replay_line parsed = {.root = NULL};
    struct sq_buf line;
    struct sq_err err;
    sq_buf_init(&line);
    sq_buf_append_char(&line, ' ');
    sq_buf_append_str(&line, text);
    REQUIRE(sq_replay_line_read(&parsed, sq_buf_view(&line), &err) == 0 && parsed.root);
    const struct sq_score *a = &read->score, *b = &parsed.score;
    REQUIRE(sq_str_equal(a->entity, b->entity) && sq_str_equal(a->label, b->label) && a->event_time_ms == b->event_time_ms);
    REQUIRE(memcmp(&a->score, &b->score, sizeof a->score) == 0 && a->text_hash == b->text_hash && a->author_hash == b->author_hash);
    REQUIRE(a->probabilities_count == b->probabilities_count);
    REQUIRE(memcmp(a->probabilities, b->probabilities, a->probabilities_count * sizeof *a->probabilities) == 0);
    sq_replay_line_deinit(&parsed);
    sq_buf_deinit(&line);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
    struct sq_replay_line read = {.root = NULL};
    struct sq_err err;
    const struct sq_str text = {(const char *)data, bytes};
    int status = sq_replay_line_read(&read, text, &err);
    if (status) {
        REQUIRE(sq_err_class(status) == SQ_CLASS_POISON && err.message[0]);
    } else {
        REQUIRE(read.score.entity.bytes > 0 && read.score.entity.bytes <= SQ_ENTITY_BYTES_MAX);
        REQUIRE(read.score.event_time_ms >= 0 && read.score.event_time_ms <= INT64_C(253402300799999));
        REQUIRE(read.score.score >= 0 && read.score.score <= 1 && read.score.probabilities_count <= SQ_SCORE_LABELS_MAX);
        if (!read.root) check_ways(&read, text);
        check_again(&read);
    }
    sq_replay_line_deinit(&read);
    return 0;
}
