/* SPDX-License-Identifier: Apache-2.0 */
/* Who is next: arrival order, classes, long texts, waiting for more. Counted in batches and tokens, with times that the tests make up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/backlog.h"

enum { BUDGET = 256, PIECES_MAX = 4096, MS = 1000000 };

static struct sq_backlog backlog;
static struct sq_piece pieces[PIECES_MAX];
static unsigned pieces_count;
static uint64_t now_ns;

static void start(uint64_t wait_ns_max)
{
    sq_backlog_init(&backlog, BUDGET, wait_ns_max);
    pieces_count = 0;
    now_ns = 1;
}

static struct sq_piece *submit(enum sq_job_class class, unsigned tokens, unsigned member)
{
    struct sq_piece *piece = &pieces[pieces_count++];
    *piece = (struct sq_piece){.submitted_ns = now_ns++, .tokens = tokens, .class = class, .member = member};
    sq_backlog_push(&backlog, piece);
    return piece;
}

struct drawn {
    struct sq_draw draw;
    struct sq_piece *pieces[BUDGET];
    unsigned count, tokens;
};

/* One batch, filled like an engine thread does. */
static struct drawn draw(void)
{
    struct drawn drawn = {.draw = sq_backlog_choose(&backlog)};
    assert_non_null(drawn.draw.lane);
    for (struct sq_piece *piece; (piece = sq_backlog_take(&backlog, &drawn.draw, drawn.tokens));) {
        drawn.pieces[drawn.count++] = piece;
        drawn.tokens += piece->tokens;
        if (drawn.draw.size == SQ_SIZE_LONG) break;
    }
    sq_backlog_filled(&backlog, &drawn.draw, drawn.tokens);
    return drawn;
}

/* Batches are filled in arrival order and end before the first text that has no room, even if a later one would have. */
static void test_arrival_order(void **state)
{
    (void)state;
    start(0);
    static const unsigned tokens[] = {100, 100, 57, 10, 256, 1};
    for (unsigned i = 0; i < 6; i++) submit(SQ_JOB_STREAM, tokens[i], 0);
    static const unsigned sizes[] = {2, 2, 1, 1};
    unsigned next = 0;
    for (unsigned batch = 0; batch < 4; batch++) {
        struct drawn drawn = draw();
        assert_int_equal(drawn.count, sizes[batch]);
        assert_true(drawn.tokens <= BUDGET);
        for (unsigned i = 0; i < drawn.count; i++) assert_ptr_equal(drawn.pieces[i], &pieces[next++]);
    }
    assert_null(sq_backlog_choose(&backlog).lane);
    assert_int_equal(backlog.count, 0);
}

/* Whoever puts pieces back, in whatever order, arrival places them; one that proved to be long changes its lane. */
static void test_put_back(void **state)
{
    (void)state;
    start(0);
    for (unsigned i = 0; i < 5; i++) submit(SQ_JOB_STREAM, 50, 0);
    struct sq_draw a = sq_backlog_choose(&backlog);
    struct sq_piece *taken[4];
    for (unsigned i = 0; i < 4; i++) taken[i] = sq_backlog_take(&backlog, &a, 0);
    taken[1]->tokens = 300;
    static const unsigned order[] = {2, 0, 3, 1};
    for (unsigned i = 0; i < 4; i++) sq_backlog_put_back(&backlog, taken[order[i]]);
    assert_int_equal(backlog.counts[SQ_JOB_STREAM][SQ_SIZE_LONG], 1);
    struct drawn drawn = draw();
    assert_int_equal(drawn.count, 4);
    static const unsigned expected[] = {0, 2, 3, 4};
    for (unsigned i = 0; i < 4; i++) assert_ptr_equal(drawn.pieces[i], &pieces[expected[i]]);
    assert_ptr_equal(draw().pieces[0], &pieces[1]);
    submit(SQ_JOB_STREAM, 1, 0); /* the tail is right again */
    assert_int_equal(draw().count, 1);
}

/* Interactive first; while both wait, every fourth batch is the stream's. */
static void test_classes(void **state)
{
    (void)state;
    start(0);
    for (unsigned i = 0; i < 100; i++) submit(SQ_JOB_STREAM, 256, 0);
    for (unsigned i = 0; i < 10; i++) assert_int_equal(draw().draw.class, SQ_JOB_STREAM);
    for (unsigned i = 0; i < 40; i++) submit(SQ_JOB_INTERACTIVE, 256, 0);
    for (unsigned i = 0; i < 40; i++) assert_int_equal(draw().draw.class, i % 4 == 3 ? SQ_JOB_STREAM : SQ_JOB_INTERACTIVE);
    while (backlog.counts[SQ_JOB_INTERACTIVE][SQ_SIZE_SHORT]) draw();
    for (unsigned i = 0; i < 20; i++) { /* one that comes alone waits for no batch but those that run */
        draw();
        submit(SQ_JOB_INTERACTIVE, 20, 0);
        struct drawn drawn = draw();
        assert_int_equal(drawn.draw.class, SQ_JOB_INTERACTIVE);
        assert_int_equal(drawn.count, 1); /* and is not made longer by the stream's texts */
    }
}

/* However many long texts wait, a short one sees at most one of them in front of it, and they take a quarter of the tokens. */
static void test_long_texts(void **state)
{
    (void)state;
    start(0);
    uint64_t tokens[SQ_SIZES] = {0};
    unsigned longs_in_a_row = 0;
    for (unsigned i = 0; i < 200; i++) submit(SQ_JOB_STREAM, 512, 0);
    for (unsigned i = 0; i < 3000; i++) submit(SQ_JOB_STREAM, 25, 0);
    while (backlog.counts[SQ_JOB_STREAM][SQ_SIZE_SHORT] && backlog.counts[SQ_JOB_STREAM][SQ_SIZE_LONG]) {
        struct drawn drawn = draw();
        tokens[drawn.draw.size] += drawn.tokens;
        longs_in_a_row = drawn.draw.size == SQ_SIZE_LONG ? longs_in_a_row + 1 : 0;
        assert_true(longs_in_a_row <= 1);
        if (drawn.draw.size == SQ_SIZE_LONG) assert_int_equal(drawn.count, 1);
    }
    assert_true(tokens[SQ_SIZE_LONG] * 3 <= tokens[SQ_SIZE_SHORT]);
    assert_true(tokens[SQ_SIZE_LONG] * 4 >= tokens[SQ_SIZE_SHORT]); /* and they are not starved */
    while (backlog.count) draw();
    for (unsigned i = 0; i < 3; i++) submit(SQ_JOB_STREAM, 512, 0); /* alone they go one behind the other */
    for (unsigned i = 0; i < 3; i++) assert_ptr_equal(draw().pieces[0], &pieces[3200 + i]);
}

/* Of two models that of the oldest piece; a batch is of one model. */
static void test_members(void **state)
{
    (void)state;
    start(0);
    for (unsigned i = 0; i < 12; i++)
        for (unsigned member = 0; member < 2; member++) submit(SQ_JOB_STREAM, 64, member);
    for (unsigned batch = 0; batch < 6; batch++) {
        struct drawn drawn = draw();
        assert_int_equal(drawn.draw.member, batch % 2);
        assert_int_equal(drawn.count, 4);
        for (unsigned i = 0; i < drawn.count; i++) assert_int_equal(drawn.pieces[i]->member, batch % 2);
    }
}

/* A batch waits for more only below half of its budget, with nobody idle and as many texts as threads, and never past the bound. */
static void test_waiting(void **state)
{
    (void)state;
    start(5 * MS);
    submit(SQ_JOB_STREAM, 25, 0);
    const struct sq_draw stream = draw().draw;
    const uint64_t until_ns = 1000 * MS + 5 * MS;
    const struct {
        struct sq_waiting waiting;
        uint64_t until_ns;
    } cases[] = {
        {{.texts = 2, .tokens = 127, .oldest_ns = 1000 * MS, .threads = 2}, until_ns},
        {{.texts = 1, .tokens = 127, .oldest_ns = 1000 * MS, .threads = 1}, until_ns},
        {{.texts = 1, .tokens = 127, .oldest_ns = 1000 * MS, .threads = 2}, 0},
        {{.texts = 2, .tokens = 128, .oldest_ns = 1000 * MS, .threads = 2}, 0},
        {{.texts = 2, .tokens = 25, .oldest_ns = 1000 * MS, .threads = 2, .threads_sleeping = 1}, 0},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sq_backlog_wait_until_ns(&backlog, &stream, &cases[i].waiting), cases[i].until_ns);
    struct sq_draw other = stream;
    other.class = SQ_JOB_INTERACTIVE;
    assert_int_equal(sq_backlog_wait_until_ns(&backlog, &other, &cases[0].waiting), 0);
    other = stream;
    other.size = SQ_SIZE_LONG;
    assert_int_equal(sq_backlog_wait_until_ns(&backlog, &other, &cases[0].waiting), 0);
    submit(SQ_JOB_INTERACTIVE, 25, 0); /* somebody else waits: the batch runs, and the thread is free for them */
    assert_int_equal(sq_backlog_wait_until_ns(&backlog, &stream, &cases[0].waiting), 0);
    draw();
    backlog.wait_ns_max = 0;
    assert_int_equal(sq_backlog_wait_until_ns(&backlog, &stream, &cases[0].waiting), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrival_order), cmocka_unit_test(test_put_back), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_long_texts),    cmocka_unit_test(test_members),  cmocka_unit_test(test_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
