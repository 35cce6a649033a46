/* SPDX-License-Identifier: Apache-2.0 */
/* One GET to a worker's own HTTP server, for `healthcheck` and the demo. Plain HTTP, no redirects. Blocks up to timeout_ms. */
#ifndef SQ_IO_HTTP_GET_H
#define SQ_IO_HTTP_GET_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

/* url: "http://HOST:PORT/PATH". Fills *status and the body, up to 1 MiB of it. SQ_E_USAGE: not such a URL; SQ_E_IO: no answer. */
int sq_http_get(const char *url, unsigned timeout_ms, unsigned *status, struct sq_buf *body, struct sq_err *err);

/* A port that was free on 127.0.0.1 a moment ago; 0: none. */
unsigned sq_http_free_port(void);

#endif
