/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that others use, for comparison: each with our collapsing of copies, our least numbers of messages and our life of an alert, and run
 * with many thresholds at once, of which the study takes the best. Four more know what nobody can know: they say how much a stream has to give. */
#ifndef SQ_TEST_PEERS_H
#define SQ_TEST_PEERS_H

#include "proto/records.h"
#include "tests/lib/planted.h"

enum { PEERS_THRESHOLDS = 48 };

enum peer {
    PEER_RATIO,      /* ElastAlert's spike: matches of the last hour over those of the hour before */
    PEER_SHARE,      /* the share of the label over a fixed one, 15 minutes or an hour */
    PEER_DEVIATION,  /* matches of 15 minutes, in standard deviations over their mean */
    PEER_BINOMIAL,   /* the share in binomial standard deviations over the usual one, 15 minutes or an hour */
    PEER_CUSUM,      /* log-likelihood ratio of a share raised by one logit, summed up and never below 0 */
    PEERS_REAL,
    PEER_KNOWS_SHARE = PEERS_REAL, /* our test, with the true share instead of a baseline, over seven windows from 2 minutes to an hour */
    PEER_KNOWS_ALL,  /* the same with the true volume as well */
    PEER_ONSETS_SHARE, /* the likelihood ratio of an event that began at whatever minute (Shiryaev and Roberts), given the true share */
    PEER_ONSETS_ALL, /* and given the true volume */
    PEERS
};

extern const char *const peer_names[PEERS];
double peer_threshold(enum peer peer, unsigned index);

/* A firing: of which entity, when, whether again. */
typedef void (*peer_emit_fn)(enum peer peer, unsigned threshold, unsigned entity, int64_t at_ms, bool reopened, void *ctx);
typedef struct planted_truth (*peer_truth_fn)(unsigned entity, int64_t at_ms, void *ctx);

struct peers;

struct peers *peers_open(unsigned entities, peer_emit_fn emit, peer_truth_fn truth, void *ctx);
void peers_close(struct peers *peers);
void peers_take(struct peers *peers, const struct sq_score *score, unsigned entity); /* in order of time */

#endif
