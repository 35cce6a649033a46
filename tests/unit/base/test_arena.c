/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/arena.h"

#include <string.h>

static void blocks_are_aligned_and_apart(void **state)
{
    (void)state;
    struct sq_arena arena;
    assert_int_equal(sq_arena_init(&arena, 1000, NULL), 0);
    char *a = sq_arena_alloc(&arena, 1), *b = sq_arena_alloc(&arena, 65), *c = sq_arena_alloc(&arena, 64);
    assert_true(a && b && c);
    assert_int_equal((uintptr_t)a % SQ_ARENA_ALIGN_BYTES, 0);
    assert_int_equal(b - a, 64);
    assert_int_equal(c - b, 128);
    memset(c, 1, 64);
    sq_arena_deinit(&arena);
}

static void a_full_arena_says_so(void **state)
{
    (void)state;
    struct sq_arena arena;
    assert_int_equal(sq_arena_init(&arena, 128, NULL), 0);
    assert_null(sq_arena_alloc(&arena, 129));
    assert_null(sq_arena_alloc(&arena, SIZE_MAX));
    assert_non_null(sq_arena_alloc(&arena, 100));
    assert_null(sq_arena_alloc(&arena, 1));
    sq_arena_deinit(&arena);
}

static void rewinding_gives_back_what_came_after_the_mark(void **state)
{
    (void)state;
    struct sq_arena arena;
    assert_int_equal(sq_arena_init(&arena, 256, NULL), 0);
    sq_arena_alloc(&arena, 64);
    size_t mark = arena.used_bytes;
    void *first = sq_arena_alloc(&arena, 128);
    sq_arena_rewind(&arena, mark);
    assert_ptr_equal(sq_arena_alloc(&arena, 10), first);
    sq_arena_rewind(&arena, 100000); /* a mark ahead changes nothing */
    assert_int_equal(arena.used_bytes, mark + 64);
    assert_int_equal(arena.used_bytes_max, 192);
    sq_arena_deinit(&arena);
}

static void an_impossible_size_is_an_error(void **state)
{
    (void)state;
    struct sq_arena arena;
    struct sq_err err;
    assert_int_equal(sq_arena_init(&arena, SIZE_MAX, &err), SQ_E_NOMEM);
    sq_arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_apart),
        cmocka_unit_test(a_full_arena_says_so),
        cmocka_unit_test(rewinding_gives_back_what_came_after_the_mark),
        cmocka_unit_test(an_impossible_size_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
