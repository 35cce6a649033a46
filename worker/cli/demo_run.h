/* SPDX-License-Identifier: Apache-2.0 */
/* The run of a demo, behind its options: see demo.c. */
#ifndef SQ_CLI_DEMO_RUN_H
#define SQ_CLI_DEMO_RUN_H

#include <stdbool.h>

enum { SQ_DEMO_WORKERS_MAX = 6, SQ_DEMO_INPUT_PARTITIONS = 6 };
#define SQ_DEMO_INPUT "demo.posts"

struct sq_demo_options {
    unsigned workers, texts, port, seed;
    const char *model;
    bool kills_one, once, json;
};

/* Blocks until everything is over; returns the exit code. */
int sq_demo_run(const struct sq_demo_options *options);

#endif
