/* SPDX-License-Identifier: Apache-2.0 */
/* Scores in a compact form, for replays that read the same history many times: what a line of `--scores-out` holds, but for the author, of
 * whom only the hash is kept. A third of the size, and read ten times as fast.
 *
 *     file  = "SQSCORE" and the version, a byte of 1, then frames to the end
 *     frame = head, a varint:
 *         0      the probabilities' labels from here on: a varint count up to 64, a varint number of a label each
 *         1      an entity: text of 1 to 256 bytes; it gets the next number, from 0
 *         2      a label: text of up to 256 bytes; likewise, with numbers of its own
 *         3 + e  a score of entity e: zigzag varint of ts less the ts before it (0 before the first), ms
 *                             byte of flags: 1 author, 2 text_hash, 4 probabilities, 8 text_simhash
 *                             varint number of its label
 *                             float32 score
 *                             float32 for each of the probabilities' labels   where flag 4
 *                             8 bytes XXH64 of the author                     where flag 1
 *                             8 bytes text_hash                               where flag 2
 *                             8 bytes text_simhash                            where flag 8
 *     text  = varint of bytes, UTF-8
 *
 * Varints are LEB128 in at most ten bytes, all else little-endian. One thread. */
#ifndef SQ_CLI_REPLAY_COMPACT_H
#define SQ_CLI_REPLAY_COMPACT_H

#include "proto/records.h"
#include "worker/cli/lines.h"

#define SQ_COMPACT_SUFFIX ".sqs" /* of files that `--scores-out` writes in this form */

struct sq_compact_names;

/* What a file has named so far. */
struct sq_compact {
    struct sq_compact_names *entities, *labels;
    unsigned set[SQ_SCORE_LABELS_MAX]; /* numbers of the probabilities' labels */
    unsigned set_count;
    int64_t ts_ms;                     /* of the score before */
    uint64_t at_bytes;                 /* reading: where the next frame starts */
};

int sq_compact_open(struct sq_compact *compact, struct sq_err *err);
void sq_compact_close(struct sq_compact *compact);

void sq_compact_write_head(struct sq_buf *out);

/* Appends a score, and what it is the first to name. labels: of its probabilities. SQ_E_NOMEM; SQ_E_TOO_LARGE, with
 * nothing appended, for a label over the bound. */
int sq_compact_write(struct sq_compact *compact, struct sq_buf *out, const struct sq_score *score, const struct sq_str *labels, struct sq_err *err);

/* Whether what comes next is such a file: 1 or 0, or SQ_E_IO. Takes its head where it is. SQ_E_IO too for another version of the form. */
int sq_compact_detect(struct sq_compact *compact, struct sq_lines *lines, struct sq_err *err);

/* The next score, all of it but its source: 1, 0 at the end, or SQ_E_IO, SQ_E_NOMEM. A frame that is not as above is SQ_E_IO: nothing can be
 * read behind it. The strings live as long as `compact`; labels: filled with those of the probabilities. */
int sq_compact_read(struct sq_compact *compact, struct sq_lines *lines, struct sq_score *score, struct sq_str *labels, struct sq_err *err);

#endif
