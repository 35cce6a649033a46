/* SPDX-License-Identifier: Apache-2.0 */
/* A scored record as a line of JSON: what `replay --scores-out` writes and `--scores-in` reads.
 *
 *     {"entity":"acme","ts":1767225600000,"label":"negative","score":0.963104129,"scores":{"negative":0.963104129,...},
 *      "author":"jo","text_hash":"00112233aabbccdd"}
 *
 * Read: scores, author, text_hash, id and excerpt are optional; the label is that of the largest score where it is not said, and the score
 * likewise. The author is kept as given, and hashed as the worker hashes it. Other members are passed over. */
#ifndef SQ_CLI_REPLAY_LINE_H
#define SQ_CLI_REPLAY_LINE_H

#include "engine/base/json.h"
#include "engine/engine.h"
#include "proto/records.h"

/* Appends the line and its end. labels: in id order, as many as the score has probabilities. */
void sq_replay_line_write(struct sq_buf *out, const struct sq_score *score, struct sq_str author, const struct sq_str *labels);

/* What a reader of scores fills again and again. */
struct sq_replay_line {
    struct sq_score score;                     /* all but its source */
    struct sq_str labels[SQ_SCORE_LABELS_MAX]; /* of its probabilities */
    json_t *root;                              /* what the strings live in where the line took the slow way; owned */
};

/* Reads a line, whose bytes must stay as long as the strings are used; what was read before is let go of. Lines in just the form of
 * sq_replay_line_write are read by a scanner of their own, all others by jansson, to the same result. POISON codes, with the member
 * named. */
int sq_replay_line_read(struct sq_replay_line *into, struct sq_str line, struct sq_err *err);
void sq_replay_line_deinit(struct sq_replay_line *into);

#endif
