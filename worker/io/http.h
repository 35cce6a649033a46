/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server on the loop: a table of GET routes, one event stream, and POST routes that may answer later. libmicrohttpd parses; it has no thread of its own, its
 * epoll descriptor is watched by the loop.
 *
 * What it refuses by itself, always as JSON {"error":"..."}: methods that a path doesn't have (405), unknown paths (404), a POST that isn't
 * JSON (415), a Host or Origin
 * that is not this server's (403, so that a foreign page can't reach it by rebinding its name), a missing token (401), more than
 * SQ_HTTP_STREAMS_MAX streams or too many connections (503). No answer allows another origin to read it.
 *
 * Thread: the loop's. Handlers must not block. */
#ifndef SQ_IO_HTTP_H
#define SQ_IO_HTTP_H

#include <stdbool.h>

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "worker/io/loop.h"

enum {
    SQ_HTTP_CONNECTIONS_MAX = 128,
    SQ_HTTP_STREAMS_MAX = 32,
    SQ_HTTP_STREAM_EVENTS_MAX = 64, /* kept for slow readers; who falls further behind loses the oldest */
    SQ_HTTP_TICK_MS = 250,          /* how soon an event goes out */
    SQ_HTTP_BODY_BYTES_MAX = 1 << 20, /* of a POST */
    SQ_HTTP_CALL_HEADERS_MAX = 4,
    SQ_HTTP_NAME_BYTES = 64,
};

struct sq_http_request {
    const char *path;
    void *connection; /* for sq_http_query */
};

/* The value of ?name=, percent-decoded; NULL when absent. Borrowed for the call. */
const char *sq_http_query(const struct sq_http_request *request, const char *name);

struct sq_http_reply {
    unsigned status;  /* 200 until set */
    const char *type; /* "application/json" until set; must outlive the reply */
    struct sq_buf body;
};

typedef void (*sq_http_fn)(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx);

/* A POST that waits for its answer. */
struct sq_http_call;

/* Takes a whole body, borrowed for the call of the function, and answers just once: now, or later on the loop. Where the client went away
 * meanwhile, the answer goes nowhere. sq_http_close answers what still waits; who keeps calls must forget them before. */
typedef void (*sq_http_post_fn)(struct sq_http_call *call, struct sq_str body, void *ctx);

/* What stood for the `*` of the route's path; "" without one. The call's. */
const char *sq_http_call_name(const struct sq_http_call *call);
void sq_http_call_header(struct sq_http_call *call, const char *name, const char *value); /* up to 63 bytes each; before the answer */
void sq_http_call_answer(struct sq_http_call *call, unsigned status, const char *type, struct sq_buf *body); /* body is taken */
/* {"error": message, "error_type": type} */
void sq_http_call_refuse(struct sq_http_call *call, unsigned status, const char *type, const char *message);

enum sq_http_route_kind {
    SQ_HTTP_PLAIN,
    SQ_HTTP_PROBE,  /* for machines: any Host once the server listens beyond loopback, no token */
    SQ_HTTP_DELETE, /* `post` is called for DELETE instead, under the same rules */
    SQ_HTTP_STREAM, /* text/event-stream; `handle` fills the data of a first event, "snapshot", sent to the new reader alone */
};

struct sq_http_route {
    const char *path; /* one of its segments may be `*`: any name of up to SQ_HTTP_NAME_BYTES - 1 bytes */
    sq_http_fn handle;  /* NULL: only POST */
    enum sq_http_route_kind kind;
    sq_http_post_fn post; /* application/json; only where texts may be shown (sq_http_shows_texts). NULL: no POST */
};

struct sq_http_options {
    const char *listen;                 /* "HOST:PORT", "[V6]:PORT", ":PORT" (all addresses); port 0: any */
    const char *token;                  /* NULL: none asked for */
    const struct sq_http_route *routes; /* borrowed for the server's life */
    unsigned routes_count;
    void *ctx;                          /* of the handlers */
};

struct sq_http;

/* Binds and listens. SQ_E_CONFIG: not an address; SQ_E_IO: it can't be listened on. */
int sq_http_open(struct sq_http **http, struct sq_loop *loop, const struct sq_http_options *options, struct sq_err *err);
void sq_http_close(struct sq_http *http); /* NULL is fine; open connections are cut */

const char *sq_http_url(const struct sq_http *http); /* "http://127.0.0.1:8088/", with the port taken */

/* Whether excerpts of messages may be shown: the server listens on loopback alone, or asks for a token. */
bool sq_http_shows_texts(const struct sq_http *http);

/* One event to every open stream. `data` must hold no line feed. */
void sq_http_stream_send(struct sq_http *http, const char *event, struct sq_str data);
unsigned sq_http_streams_count(const struct sq_http *http);

#endif
