/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "engine/base/queue.h"

static void it_is_first_in_first_out_and_bounded(void **state)
{
    (void)state;
    struct sq_queue queue;
    int items[4];
    assert_int_equal(sq_queue_init(&queue, 3, NULL), 0);
    for (int round = 0; round < 5; round++) { /* round the ring */
        for (int i = 0; i < 3; i++) assert_int_equal(sq_queue_try_push(&queue, &items[i]), 0);
        assert_int_equal(sq_queue_try_push(&queue, &items[3]), SQ_E_FULL);
        assert_int_equal(sq_queue_count(&queue), 3);
        assert_ptr_equal(sq_queue_try_pop(&queue), &items[0]);
        assert_ptr_equal(sq_queue_pop_wait(&queue), &items[1]);
        assert_ptr_equal(sq_queue_try_pop(&queue), &items[2]);
        assert_null(sq_queue_try_pop(&queue));
    }
    sq_queue_deinit(&queue);
}

static void a_closed_queue_still_gives_what_it_holds(void **state)
{
    (void)state;
    struct sq_queue queue;
    int item;
    assert_int_equal(sq_queue_init(&queue, 2, NULL), 0);
    assert_int_equal(sq_queue_try_push(&queue, &item), 0);
    sq_queue_close(&queue);
    assert_int_equal(sq_queue_try_push(&queue, &item), SQ_E_CLOSED);
    assert_ptr_equal(sq_queue_pop_wait(&queue), &item);
    assert_null(sq_queue_pop_wait(&queue));
    sq_queue_deinit(&queue);
}

enum { ITEMS = 20000, THREADS = 3 };
static int marks[ITEMS];

static void *consume(void *ctx)
{
    for (int *mark; (mark = sq_queue_pop_wait(ctx));) __atomic_add_fetch(mark, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void every_item_reaches_one_consumer(void **state)
{
    (void)state;
    struct sq_queue queue;
    pthread_t threads[THREADS];
    assert_int_equal(sq_queue_init(&queue, 16, NULL), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, consume, &queue), 0);
    for (int i = 0; i < ITEMS; i++)
        while (sq_queue_try_push(&queue, &marks[i]) != 0) sched_yield();
    sq_queue_close(&queue);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < ITEMS; i++) assert_int_equal(marks[i], 1);
    sq_queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_first_in_first_out_and_bounded),
        cmocka_unit_test(a_closed_queue_still_gives_what_it_holds),
        cmocka_unit_test(every_item_reaches_one_consumer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
