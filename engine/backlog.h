/* SPDX-License-Identifier: Apache-2.0 */
/* Who is next: what waits for a pool's threads, and the rules by which it becomes batches. Pure: no thread, no clock; the pool calls
 * it under its mutex.
 *
 * A batch is drawn from one lane: pieces of one class, one size and one model, in arrival order.
 * - Interactive goes before stream. While both wait, one batch in four is the stream's.
 * - A text longer than a batch's budget runs alone. While short ones wait too, they get three tokens for each token of a long one, so
 *   long texts take a quarter of the threads at most, however many wait.
 * - Of an ensemble's models, the one whose oldest piece has waited longest goes first.
 * - A stream's batch that has room waits for more until it is half full, but no longer than a bound since its oldest text came, and only
 *   when every thread has something to do: with fewer texts than threads, a text runs at once. */
#ifndef SQ_BACKLOG_H
#define SQ_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

enum sq_job_class { SQ_JOB_STREAM, SQ_JOB_INTERACTIVE, SQ_JOB_CLASSES };
enum { SQ_SIZE_SHORT, SQ_SIZE_LONG, SQ_SIZES };

/* Embedded in what waits. */
struct sq_piece {
    struct sq_piece *next;
    uint64_t submitted_ns; /* arrival */
    unsigned tokens;       /* guessed from the bytes, or exact once somebody has tokenised it */
    enum sq_job_class class;
    unsigned member;       /* of the ensemble; 0 where there is one model */
};

struct sq_lane {
    struct sq_piece *head, *tail;
};

struct sq_backlog {
    struct sq_lane lanes[SQ_JOB_CLASSES][SQ_SIZES][SQ_MEMBERS_MAX];
    size_t counts[SQ_JOB_CLASSES][SQ_SIZES];
    size_t count;                        /* of all */
    unsigned batch_tokens_max;
    uint64_t wait_ns_max;                /* 0: batches never wait for more */
    unsigned stream_passed_over;         /* interactive batches since the stream's last while both waited */
    uint64_t long_passed_over[SQ_JOB_CLASSES]; /* tokens of short texts since the last long one while both waited */
};

void sq_backlog_init(struct sq_backlog *backlog, unsigned batch_tokens_max, uint64_t wait_ns_max);

/* At the end of its lane. */
void sq_backlog_push(struct sq_backlog *backlog, struct sq_piece *piece);

/* A piece that was taken, but had no room: back among those that wait, where its arrival places it. Its tokens may have changed. */
void sq_backlog_put_back(struct sq_backlog *backlog, struct sq_piece *piece);

/* What a batch is drawn from. */
struct sq_draw {
    struct sq_lane *lane; /* NULL: nothing waits */
    enum sq_job_class class;
    unsigned size, member;
};

/* Whose turn it is at a batch boundary. */
struct sq_draw sq_backlog_choose(struct sq_backlog *backlog);

/* The next piece of the draw, or NULL: none waits, or it needs more than the batch has room for. A batch that holds `tokens` so far; a
 * piece that is long goes into an empty one alone. */
struct sq_piece *sq_backlog_take(struct sq_backlog *backlog, const struct sq_draw *draw, unsigned tokens);

/* The batch is filled and holds so many tokens: the turns are counted by it. */
void sq_backlog_filled(struct sq_backlog *backlog, const struct sq_draw *draw, unsigned tokens);

/* Until when (monotonic ns) a batch that has nothing more to take may wait for more; 0: it runs now. */
struct sq_waiting {
    unsigned texts, tokens;   /* in the batch */
    uint64_t oldest_ns;       /* arrival of its oldest text */
    unsigned threads;         /* of the pool that may run */
    unsigned threads_sleeping;
};
uint64_t sq_backlog_wait_until_ns(const struct sq_backlog *backlog, const struct sq_draw *draw, const struct sq_waiting *waiting);

#endif
