/* SPDX-License-Identifier: Apache-2.0 */
/* The one event loop of a worker: timers, wake-ups from other threads, readable descriptors, signals. The only part of the pipeline's
 * world that knows libuv.
 *
 * Thread: everything runs on the thread that calls sq_loop_run, but for sq_wake_send. No callback may block. Handles belong to the
 * caller and are closed before the loop is; closing ends its callbacks at once. */
#ifndef SQ_IO_LOOP_H
#define SQ_IO_LOOP_H

#include <stdint.h>

#include "engine/base/err.h"

typedef void (*sq_loop_fn)(void *ctx);

struct sq_loop;
struct uv_loop_s;

int sq_loop_open(struct sq_loop **loop, struct sq_err *err);
void sq_loop_close(struct sq_loop *loop); /* every handle is closed by now */
void sq_loop_run(struct sq_loop *loop);   /* until sq_loop_stop */
void sq_loop_stop(struct sq_loop *loop);
/* Runs callbacks for at most about wait_ms; for tests and for closing down step by step. */
void sq_loop_turn(struct sq_loop *loop, unsigned wait_ms);

/* For the other adapters of worker/io that bring handles of their own. */
struct uv_loop_s *sq_loop_uv(struct sq_loop *loop);

/* Calls fn every interval_ms. */
struct sq_timer;
int sq_timer_open(struct sq_timer **timer, struct sq_loop *loop, uint64_t interval_ms, sq_loop_fn fn, void *ctx, struct sq_err *err);
void sq_timer_close(struct sq_timer *timer); /* NULL does nothing; so do the others */

/* Calls fn on the loop soon after sq_wake_send; several sends may be one call. */
struct sq_wake;
int sq_wake_open(struct sq_wake **wake, struct sq_loop *loop, sq_loop_fn fn, void *ctx, struct sq_err *err);
void sq_wake_send(struct sq_wake *wake); /* any thread; never blocks */
void sq_wake_close(struct sq_wake *wake); /* no thread may be about to send */

/* Calls fn while the descriptor is readable. The descriptor stays the caller's. */
struct sq_watch;
int sq_watch_open(struct sq_watch **watch, struct sq_loop *loop, int fd, sq_loop_fn fn, void *ctx, struct sq_err *err);
void sq_watch_close(struct sq_watch *watch);

struct sq_signal;
int sq_signal_open(struct sq_signal **signal, struct sq_loop *loop, int number, sq_loop_fn fn, void *ctx, struct sq_err *err);
void sq_signal_close(struct sq_signal *signal);

#endif
