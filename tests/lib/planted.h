/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of real texts with planted events and decoys: the arrivals are made, what the model says of each text is what it said.
 *
 * A text is negative, neutral or positive by its readers; the model's answer is dealt from its answers to held-out texts of that kind
 * (`deck`), so its errors are in the stream as they are. Arrivals are uneven: the day's wave, a gamma factor every five minutes, and cascades
 * (a third of the messages answer another one, ten minutes later on average, and share its tone half of the time).
 *
 *   event          negative texts on top of the usual ones: `strength` times the usual volume, log-uniform from 0.5 to 3, for 30, 60 or 120 min
 *   copy storm     one negative text, passed on 1 to 3 times the usual volume within half an hour, by three authors or by very many
 *   neutral burst  three to six times the usual volume for half an hour or an hour, of the usual mix
 *   drift          the share of negative texts rises over 12 hours (logit + 0.8), stays for 12, and falls over 12
 *
 * The same options give the same stream. */
#ifndef SQ_TEST_PLANTED_H
#define SQ_TEST_PLANTED_H

#include "proto/records.h"
#include "tests/lib/verdict.h"

enum { PLANTED_TONES = 3 }; /* negative, neutral, positive */

/* How often the model gave each answer to texts of each tone. */
struct planted_deck {
    unsigned answers[PLANTED_TONES][PLANTED_TONES]; /* [by readers][by the model] */
};

struct planted_options {
    unsigned entities;  /* with 5, 20 and 100 messages per 15 minutes in turn */
    unsigned days;
    uint64_t seed;
    bool nothing;       /* no events and no decoys */
    const struct planted_deck *deck;
};

struct planted_stream;

struct planted_stream *planted_open(const struct planted_options *options);
void planted_close(struct planted_stream *stream);
bool planted_next(struct planted_stream *stream, struct sq_score *score, unsigned *entity); /* in order of time */
const struct planted *planted_list(const struct planted_stream *stream, unsigned *count);

/* What nobody knows of a real stream: the usual share of messages that the model calls negative, and the usual messages a minute. At the time
 * of the latest message. */
struct planted_truth {
    double share, rate;
};
struct planted_truth planted_truth(const struct planted_stream *stream, unsigned entity, int64_t ts_ms);

/* From a file of lines: tone, answer, how often. False: it is none. */
bool planted_read_deck(const char *path, struct planted_deck *deck);

#endif
