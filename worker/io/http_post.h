/* SPDX-License-Identifier: Apache-2.0 */
/* What http.c and http_post.c share: how a POST's body is collected, and how its connection waits for an answer that comes later. While it
 * waits it is suspended, which costs nothing; libmicrohttpd asks again once it is resumed. */
#ifndef SQ_IO_HTTP_POST_H
#define SQ_IO_HTTP_POST_H

#include <microhttpd.h>

#include "worker/io/http.h"

/* Sends a response with what every answer carries, and lets go of it. */
typedef enum MHD_Result (*sq_http_send_fn)(struct MHD_Connection *connection, unsigned status, const char *type, const char *caching,
                                           struct MHD_Response *response);

/* The open calls of a server. */
struct sq_http_calls {
    struct sq_http_call *head;
    sq_http_send_fn send;
    void (*answered)(void *ctx); /* a connection was resumed: let libmicrohttpd run */
    void *ctx;
};

/* A new call, for libmicrohttpd's request context. `name` is copied: sq_http_call_name. NULL: no memory. */
struct sq_http_call *sq_http_call_open(struct sq_http_calls *calls, struct MHD_Connection *connection, const struct sq_http_route *route,
                                       struct sq_str name);

/* What libmicrohttpd brings next: a piece of the body, its end, or the connection resumed. */
enum MHD_Result sq_http_call_continue(struct sq_http_call *call, const char *upload, size_t *upload_bytes, void *ctx);

/* The request is over, whatever became of it. */
void sq_http_call_close(struct sq_http_call *call);

/* Answers every call that waits, 503: before the server stops. */
void sq_http_calls_stop(struct sq_http_calls *calls);

#endif
