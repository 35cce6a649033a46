/* SPDX-License-Identifier: Apache-2.0 */
/* Input lines, or records of a topic, to scores, on all cores, in input order: decoded and scored by the code the worker runs. */
#ifndef SQ_CLI_REPLAY_SCORER_H
#define SQ_CLI_REPLAY_SCORER_H

#include "worker/cli/ordered.h"
#include "worker/io/config.h"

/* A line, or a record of a topic. */
struct sq_replay_input {
    uint64_t line;        /* from 1: of all that is read */
    struct sq_record record;
    bool is_too_long;     /* the line itself was not kept */
    int32_t partition;    /* of the topic; -1: a line */
    int64_t offset;
    int64_t timestamp_ms; /* of the record: taken as the time when it was appended; -1: none */
};

/* What became of it. code 0: the score, its author as given; else why it was refused. Valid during the call only. */
struct sq_replay_result {
    uint64_t line;       /* from 1 */
    int32_t partition;   /* where it was read; -1: a line */
    int64_t offset;
    int64_t append_ms;   /* as the scores record would have it; for lines the event's own time */
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

/* Takes one, borrowed for the call; may block and hand over results of earlier ones. */
int sq_replay_scorer_take(struct sq_replay_scorer *scorer, const struct sq_replay_input *input, struct sq_err *err);

/* Waits for all that were taken. */
int sq_replay_scorer_drain(struct sq_replay_scorer *scorer, struct sq_err *err);

#endif
