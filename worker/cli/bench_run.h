/* SPDX-License-Identifier: Apache-2.0 */
/* One measurement of `squall bench`: texts through a pool of so many threads, again and again in the same order. */
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
    double texts_per_cpu_second;         /* of the whole process: what stays the same on a machine that others use too */
    /* Shares of the threads' time; the rest is encoding. */
    double tokenising_share, waiting_share, handing_over_share;
    size_t rss_bytes;        /* after the last pass, the pool still open */
    size_t rss_before_bytes; /* before the pool was opened */
    size_t rss_warm_bytes;   /* after the warm-up pass */
};

/* One pass to warm up, then whole passes for at least `seconds`, with `in_flight` texts (1 or more) handed over and not yet answered at any
 * time: many show the throughput; one, the time that a text takes alone. Blocks for all of it. */
int sq_bench_run(struct sq_bench_result *result, const struct sq_engine *engine, const struct sq_bench_texts *texts, unsigned threads,
                 unsigned in_flight, double seconds, struct sq_err *err);

#endif
