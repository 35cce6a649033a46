/* SPDX-License-Identifier: Apache-2.0 */
/* Made streams of scores, with planted events whose times are known: the simulators by which the detector is judged.
 *
 * Three kinds of share: beta-binomial noise as the detector assumes it, self-exciting cascades (Hawkes) and a regime-switching share;
 * copy storms in all of them. The same options give the same stream. */
#ifndef SQ_TEST_STREAM_H
#define SQ_TEST_STREAM_H

#include "proto/records.h"
#include "tests/lib/verdict.h"

enum stream_kind { STREAM_MATCHED, STREAM_HAWKES, STREAM_MARKOV };

struct stream_options {
    enum stream_kind kind;
    unsigned entities;       /* with 5, 20 and 100 messages per 15 minutes in turn */
    unsigned days;
    uint64_t seed;
    double event_logit;      /* what an event adds to the logit of the share; 0: no events */
    double event_volume;     /* what it multiplies the volume by */
    bool no_copies;          /* leave the copy storms out */
    unsigned first_event_day; /* 7 in the studies */
    double share;            /* of the messages that are scored, the others are skipped; 0: all */
    bool share_swings;       /* all, half and a fifth of them in turn, six hours each */
};

struct stream;

struct stream *stream_open(const struct stream_options *options);
void stream_close(struct stream *stream);

/* The next score in event-time order; its strings live as long as the stream. False at the end. */
bool stream_next(struct stream *stream, struct sq_score *score);

const struct planted *stream_events(const struct stream *stream, unsigned *count);
double stream_volume(unsigned entity); /* messages per 15 minutes */
unsigned stream_entity_of(struct sq_str name);

#endif
