/* SPDX-License-Identifier: Apache-2.0 */
/* The compact form of scores: what is written comes back, and whatever else comes is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/lib/command.h"
#include "tests/lib/random.h"
#include "worker/cli/replay_compact.h"

enum { SCORES = 500, ENTITIES = 40 };

static struct test_folder *const folder = &test_group_folder;
static struct sq_err err;
static const struct sq_str labels[] = {{"negative", 8}, {"neutral", 7}, {"positive", 8}};
static const struct sq_str other_labels[] = {{"good", 4}, {"bad", 3}};

/* Score number i: of several entities, sets of labels and with what is optional in all combinations. */
static struct sq_score score_of(unsigned i, char name[32])
{
    unsigned count = i % 5 == 0 ? 0 : i / 100 % 2 ? 2 : 3;
    snprintf(name, 32, "entity %u", i * 7 % ENTITIES);
    struct sq_score score = {
        .entity = sq_str_view(name), .event_time_ms = 1767225600000 + (int64_t)i * 1000 - (i % 7) * 5000, .label = labels[i % 3],
        .score = (float)(i % 100) / 99, .probabilities_count = count, .author_hash = i % 2 ? UINT64_C(0x8000000000000000) + i : 0,
        .text_hash = i % 3 ? UINT64_MAX - i : 0, .text_simhash = i % 5 ? i * 77 : 0};
    for (unsigned p = 0; p < count; p++) score.probabilities[p] = (float)((i + p) % 11) / 10;
    return score;
}

static void write_all(struct sq_buf *out)
{
    struct sq_compact compact;
    sq_buf_init(out);
    assert_int_equal(sq_compact_open(&compact, &err), 0);
    sq_compact_write_head(out);
    for (unsigned i = 0; i < SCORES; i++) {
        char name[32];
        struct sq_score score = score_of(i, name);
        assert_int_equal(sq_compact_write(&compact, out, &score, score.probabilities_count == 2 ? other_labels : labels, &err), 0);
    }
    sq_compact_close(&compact);
}

struct reading {
    struct sq_lines lines;
    struct sq_compact compact;
    struct sq_score score;
    struct sq_str names[SQ_SCORE_LABELS_MAX];
};

/* 1: the file is of this form. */
static int start(struct reading *reading, struct sq_str file)
{
    char *path = test_path(folder, "scores");
    test_folder_write(folder, "scores", file);
    assert_int_equal(sq_lines_open(&reading->lines, path, 1000, &err), 0);
    reading->lines.name = "scores";
    free(path);
    assert_int_equal(sq_compact_open(&reading->compact, &err), 0);
    return sq_compact_detect(&reading->compact, &reading->lines, &err);
}

static int next(struct reading *reading)
{
    return sq_compact_read(&reading->compact, &reading->lines, &reading->score, reading->names, &err);
}

static void stop(struct reading *reading)
{
    sq_compact_close(&reading->compact);
    sq_lines_close(&reading->lines);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    struct sq_buf file;
    struct reading reading;
    write_all(&file);
    assert_int_equal(start(&reading, sq_buf_view(&file)), 1);
    for (unsigned i = 0; i < SCORES; i++) {
        char name[32];
        const struct sq_score expected = score_of(i, name), *read = &reading.score;
        assert_int_equal(next(&reading), 1);
        assert_true(sq_str_equal(read->entity, expected.entity) && sq_str_equal(read->label, expected.label));
        assert_true(read->event_time_ms == expected.event_time_ms && read->author_hash == expected.author_hash && read->text_hash == expected.text_hash);
        assert_true(read->text_simhash == expected.text_simhash);
        assert_int_equal(read->probabilities_count, expected.probabilities_count);
        assert_memory_equal(&read->score, &expected.score, sizeof expected.score);
        for (unsigned p = 0; p < expected.probabilities_count; p++) {
            assert_memory_equal(&read->probabilities[p], &expected.probabilities[p], sizeof *expected.probabilities);
            assert_true(sq_str_equal(reading.names[p], (expected.probabilities_count == 2 ? other_labels : labels)[p]));
        }
    }
    assert_int_equal(next(&reading), 0);
    stop(&reading);
    sq_buf_deinit(&file);
}

/* Scores up to the cut, then an error, unless the cut is between two frames. */
static void a_cut_file_is_told_of(void **state)
{
    (void)state;
    struct sq_buf file;
    unsigned told = 0;
    write_all(&file);
    for (size_t bytes = 8; bytes < 400; bytes++) {
        struct reading reading;
        int status;
        assert_int_equal(start(&reading, (struct sq_str){file.data, bytes}), 1);
        while ((status = next(&reading)) == 1) {
        }
        assert_true(status == 0 || status == SQ_E_IO);
        if (status) assert_non_null(strstr(err.message, "scores: at byte "));
        told += status != 0;
        stop(&reading);
    }
    assert_true(told > 300);
    sq_buf_deinit(&file);
}

static void flipped_bits_never_give_a_score_out_of_bounds(void **state)
{
    (void)state;
    struct sq_buf file;
    struct test_random random = {11};
    write_all(&file);
    for (int trial = 0; trial < 300; trial++) {
        struct reading reading;
        size_t at = 8 + test_random_below(&random, (uint32_t)file.bytes - 8);
        char kept = file.data[at];
        file.data[at] = (char)test_random_bits(&random);
        assert_int_equal(start(&reading, sq_buf_view(&file)), 1);
        while (next(&reading) == 1) {
            assert_in_range(reading.score.entity.bytes, 1, SQ_ENTITY_BYTES_MAX);
            assert_true(reading.score.event_time_ms >= 0 && reading.score.score >= 0 && reading.score.score <= 1);
        }
        stop(&reading);
        file.data[at] = kept;
    }
    sq_buf_deinit(&file);
}

static void other_files_are_not_of_this_form(void **state)
{
    (void)state;
    struct reading reading;
    const struct sq_str others[] = {SQ_STR(""), SQ_STR("{\"entity\":\"e\"}\n"), SQ_STR("SQSCORE"), SQ_STR("SQSCORF\1")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(start(&reading, others[i]), 0);
        stop(&reading);
    }
    assert_int_equal(start(&reading, SQ_STR("SQSCORE\2")), SQ_E_IO);
    assert_non_null(strstr(err.message, "version 2"));
    stop(&reading);
}

static void a_label_over_the_bound_is_refused(void **state)
{
    (void)state;
    struct sq_compact compact;
    struct sq_buf out;
    static char long_label[300];
    memset(long_label, 'x', sizeof long_label);
    const struct sq_score score = {.entity = SQ_STR("e"), .label = {long_label, sizeof long_label}};
    sq_buf_init(&out);
    assert_int_equal(sq_compact_open(&compact, &err), 0);
    assert_int_equal(sq_compact_write(&compact, &out, &score, labels, &err), SQ_E_TOO_LARGE);
    assert_int_equal(out.bytes, 0);
    sq_compact_close(&compact);
    sq_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(a_cut_file_is_told_of),
        cmocka_unit_test(flipped_bits_never_give_a_score_out_of_bounds),
        cmocka_unit_test(other_files_are_not_of_this_form),
        cmocka_unit_test(a_label_over_the_bound_is_refused),
    };
    return cmocka_run_group_tests(tests, test_group_folder_open, test_group_folder_close);
}
