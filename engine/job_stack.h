/* SPDX-License-Identifier: Apache-2.0 */
/* Finished jobs on their way from the threads of a pool to the thread that looks at them: a stack without locks. Who takes takes everything,
 * so that a job is never popped from under a push. All zero is empty. */
#ifndef SQ_ENGINE_JOB_STACK_H
#define SQ_ENGINE_JOB_STACK_H

#include <stdatomic.h>

#include "engine/pool.h"

struct sq_job_stack {
    _Atomic(struct sq_job *) head;
};

/* Any thread: a list linked by `next`, at least one job. */
static inline void sq_job_stack_push(struct sq_job_stack *stack, struct sq_job *jobs)
{
    struct sq_job *last = jobs;
    while (last->next) last = last->next;
    struct sq_job *head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    do last->next = head;
    while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, jobs, memory_order_release, memory_order_relaxed));
}

/* Everything, what was pushed last first; NULL when empty. */
static inline struct sq_job *sq_job_stack_take(struct sq_job_stack *stack)
{
    return atomic_exchange_explicit(&stack->head, NULL, memory_order_acquire);
}

#endif
