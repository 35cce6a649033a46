/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a worker's own HTTP server, for commands that ask one. Plain HTTP, no redirects. Blocks up to its time. */
#ifndef SQ_IO_HTTP_CLIENT_H
#define SQ_IO_HTTP_CLIENT_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

struct sq_http_ask {
    const char *url;    /* "http://HOST:PORT/PATH" */
    const char *method; /* NULL: GET */
    const char *token;  /* of http.token_file; NULL: none */
    struct sq_str json; /* the body, up to 8 KiB; none with GET */
    unsigned timeout_ms;
};

/* Fills *status and appends the body, up to 1 MiB of it. SQ_E_USAGE: not such a URL; SQ_E_IO: no answer. */
int sq_http_client_ask(const struct sq_http_ask *ask, unsigned *status, struct sq_buf *body, struct sq_err *err);

/* A GET without a token. */
int sq_http_client_get(const char *url, unsigned timeout_ms, unsigned *status, struct sq_buf *body, struct sq_err *err);

/* A port that was free on 127.0.0.1 a moment ago; 0: none. */
unsigned sq_http_client_free_port(void);

#endif
