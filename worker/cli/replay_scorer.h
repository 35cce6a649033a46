/* SPDX-License-Identifier: Apache-2.0 */
/* Input lines to scores, on all cores, in input order: decoded and scored by the code the worker runs. */
#ifndef SQ_CLI_REPLAY_SCORER_H
#define SQ_CLI_REPLAY_SCORER_H

#include "worker/cli/ordered.h"
#include "worker/io/config.h"

/* A line's result. code 0: the score, its author as given; else why the line was refused. Valid during the call only. */
struct sq_replay_result {
    uint64_t line;       /* from 1 */
    const struct sq_score *score;
    struct sq_str author;        /* empty where it is not known, or only by its hash */
    const struct sq_str *labels; /* of the score's probabilities */
    int code;
    const char *message; /* never holds the line's text */
};
typedef int (*sq_replay_result_fn)(const struct sq_replay_result *result, void *ctx, struct sq_err *err);

struct sq_replay_scorer {
    const struct sq_config *config;
    const struct sq_model_info *model;
    struct sq_str source;     /* the topic in the scores' coordinates: the input's name */
    struct sq_ordered ordered;
    struct sq_arena arena;    /* of one decode */
    struct sq_buf excerpt;
    struct sq_str labels[SQ_LABELS_MAX];
    bool is_watched[SQ_LABELS_MAX];
    int64_t latest_ms;        /* event time of the line before; -1: none */
    sq_replay_result_fn each;
    void *ctx;
};

/* source: borrowed, like config and engine, until deinit. `each` is called on the caller's thread, in input order. */
int sq_replay_scorer_init(struct sq_replay_scorer *scorer, const struct sq_config *config, const struct sq_engine *engine,
                          struct sq_str source, sq_replay_result_fn each, void *ctx, struct sq_err *err);
void sq_replay_scorer_deinit(struct sq_replay_scorer *scorer);

/* Takes one line; may block and hand over results of earlier ones. too_long: the line itself was not kept. */
int sq_replay_scorer_take(struct sq_replay_scorer *scorer, uint64_t line_number, struct sq_str line, bool too_long, struct sq_err *err);

/* Waits for all lines taken. */
int sq_replay_scorer_drain(struct sq_replay_scorer *scorer, struct sq_err *err);

#endif
