/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs pushed by several threads while one takes them: each comes once, with what was written to it before. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/job_stack.h"

enum { PUSHERS = 3, BATCHES = 2000, BATCH_JOBS = 4 };

struct pusher {
    struct sq_job_stack *stack;
    struct sq_job jobs[BATCHES][BATCH_JOBS];
    pthread_t thread;
};

static void *push_all(void *ctx)
{
    struct pusher *pusher = ctx;
    for (unsigned i = 0; i < BATCHES; i++) {
        for (unsigned k = 0; k < BATCH_JOBS; k++) {
            struct sq_job *job = &pusher->jobs[i][k];
            job->prediction.tokens = i + 1;
            job->next = k + 1 < BATCH_JOBS ? job + 1 : NULL;
        }
        sq_job_stack_push(pusher->stack, pusher->jobs[i]);
    }
    return NULL;
}

static void each_job_comes_once(void **state)
{
    (void)state;
    static struct pusher pushers[PUSHERS];
    struct sq_job_stack stack = {NULL};
    for (unsigned i = 0; i < PUSHERS; i++) {
        pushers[i].stack = &stack;
        assert_int_equal(pthread_create(&pushers[i].thread, NULL, push_all, &pushers[i]), 0);
    }
    for (unsigned left = PUSHERS * BATCHES * BATCH_JOBS; left > 0;) {
        for (struct sq_job *job = sq_job_stack_take(&stack); job; job = job->next) {
            assert_in_range(job->prediction.tokens, 1, BATCHES);
            job->prediction.tokens = 0; /* seen */
            left--;
        }
    }
    for (unsigned i = 0; i < PUSHERS; i++) pthread_join(pushers[i].thread, NULL);
    assert_null(sq_job_stack_take(&stack));
}

static void the_last_batch_comes_first_and_in_its_order(void **state)
{
    (void)state;
    struct sq_job jobs[3] = {{.next = &jobs[1]}, {.next = NULL}, {.next = NULL}};
    struct sq_job_stack stack = {NULL};
    sq_job_stack_push(&stack, &jobs[0]);
    sq_job_stack_push(&stack, &jobs[2]);
    struct sq_job *taken = sq_job_stack_take(&stack);
    assert_ptr_equal(taken, &jobs[2]);
    assert_ptr_equal(taken->next, &jobs[0]);
    assert_ptr_equal(taken->next->next, &jobs[1]);
    assert_null(taken->next->next->next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_job_comes_once),
        cmocka_unit_test(the_last_batch_comes_first_and_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
