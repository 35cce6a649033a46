/* SPDX-License-Identifier: Apache-2.0 */
/* Where the HTTP server listens, and under which names it may be asked. */
#ifndef SQ_IO_HTTP_ADDRESS_H
#define SQ_IO_HTTP_ADDRESS_H

#include <stdbool.h>

#include "engine/base/err.h"

enum { SQ_HTTP_HOST_BYTES = 256, SQ_HTTP_URL_BYTES = 300 };

struct sq_http_address {
    char host[SQ_HTTP_HOST_BYTES]; /* as configured, without brackets; "" for all addresses */
    int fd;                        /* the listening socket, non-blocking; the caller's */
    bool loopback;
    char url[SQ_HTTP_URL_BYTES];   /* how a browser on this machine reaches it */
};

/* Parses "HOST:PORT", "[V6]:PORT" or ":PORT", binds and listens. */
int sq_http_address_listen(struct sq_http_address *address, const char *listen, struct sq_err *err);

/* True for a Host header (or an Origin's authority) that can't come from another site's name: an IP address, localhost, this machine's
 * own name, or the name it was told to listen on. */
bool sq_http_address_allows(const struct sq_http_address *address, const char *authority);

#endif
