/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server on loopback that answers as it is told and keeps what it got: the other end of what is posted. A thread of its own. */
#ifndef SQ_TEST_RECEIVER_H
#define SQ_TEST_RECEIVER_H

#include <stdbool.h>

enum { RECEIVER_REQUESTS_MAX = 64, RECEIVER_BYTES_MAX = 16384 };

struct receiver_answer {
    int status;            /* 0: the connection is closed without an answer */
    const char *header;    /* "Retry-After: 2"; NULL: none */
    int delay_ms;
};

struct receiver;

/* The answers are given in turn, the last one from then on. */
struct receiver *receiver_open(const struct receiver_answer *answers, unsigned answers_count);
void receiver_close(struct receiver *receiver);

int receiver_port(const struct receiver *receiver);
unsigned receiver_count(struct receiver *receiver);

/* A request as it came, its head and body, until close. */
const char *receiver_request(struct receiver *receiver, unsigned index);

#endif
