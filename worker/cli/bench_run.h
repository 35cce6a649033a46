/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of `squall bench`: texts through pools of so many threads, again and again in the same order. */
#ifndef SQ_BENCH_RUN_H
#define SQ_BENCH_RUN_H

#include "engine/engine.h"

struct sq_bench_texts {
    struct sq_str *items; /* owned, and so is what they point to */
    size_t count;
};

/* All lines of a file ("-": stdin); lines over SQ_TEXT_BYTES_MAX are left out and counted. */
int sq_bench_texts_read(struct sq_bench_texts *texts, const char *path, size_t *left_out, struct sq_err *err);
void sq_bench_texts_deinit(struct sq_bench_texts *texts);

struct sq_bench_result {
    unsigned threads;
    size_t passes;
    uint64_t tokens;    /* of one pass */
    uint64_t truncated; /* texts of one pass */
    uint64_t failed;    /* texts of one pass that could not be scored */
    double pass_seconds; /* median */
    double texts_per_second, tokens_per_second;
    double encode_only_texts_per_second; /* as if the threads did nothing but forward passes */
    double texts_per_cpu_second;         /* of the whole process, median: what stays the same on a machine that others use too */
    double speed_up;        /* over the first run, wall clock: the median of what each round gave */
    double speed_up_of_cpu; /* the same by CPU time: what it would be with the cores to ourselves */
    double waiting_share;   /* of the threads' time: asleep */
    double tokenising_share, handing_over_share; /* of the process's CPU time: the latter is all but tokenising and encoding */
    size_t rss_bytes;        /* after the last pass, the pool still open */
    size_t rss_warm_bytes;   /* when the first pass to be timed began */
    size_t rss_before_bytes; /* before the pool was first opened */
};

enum { SQ_BENCH_IN_FLIGHT_MAX = 1024 };

struct sq_bench_options {
    unsigned seconds;   /* for each number of threads, at least */
    unsigned in_flight; /* texts handed over and not yet answered; 0: some batches ahead of each thread */
};

/* A result for each number of threads (0: the default): one pass to warm up, then whole passes; several take
 * turns. Score cache and collapsing are off. Blocks for all of it. */
int sq_bench_run(struct sq_bench_result *results, const unsigned *threads, unsigned results_count, const struct sq_engine *engine,
                 const struct sq_bench_texts *texts, const struct sq_bench_options *options, struct sq_err *err);

#endif
