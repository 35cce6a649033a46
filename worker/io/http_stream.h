/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events: one ring of recent events that every reader walks with a cursor of its own.
 *
 * A reader costs a cursor, not a queue, so a slow one bounds itself: when the ring has moved past it, it goes on at the oldest event there
 * is and sees the gap in the ids. A reader with nothing to read is suspended, which costs no CPU; the next tick with an event resumes it. */
#ifndef SQ_IO_HTTP_STREAM_H
#define SQ_IO_HTTP_STREAM_H

#include <stdint.h>

#include "engine/base/str.h"
#include "worker/io/http.h"

struct MHD_Connection;
struct MHD_Response;
struct sq_http_hub;

struct sq_http_hub *sq_http_hub_open(void); /* NULL without memory */
void sq_http_hub_close(struct sq_http_hub *hub); /* after its last reader is gone */

void sq_http_hub_send(struct sq_http_hub *hub, const char *event, struct sq_str data);
unsigned sq_http_hub_readers(const struct sq_http_hub *hub);

/* A response that streams to `connection`: `snapshot` as the first event, then every later one. A reader that comes back starts with a
 * snapshot again, so it needs nothing replayed. NULL when SQ_HTTP_STREAMS_MAX are open or memory is short. */
struct MHD_Response *sq_http_hub_response(struct sq_http_hub *hub, struct MHD_Connection *connection, struct sq_str snapshot);

/* Wakes readers that have something to read, or have been silent so long that a comment must show the line is alive. */
void sq_http_hub_tick(struct sq_http_hub *hub, uint64_t now_ns);

/* Ends every stream: their next read returns the end. */
void sq_http_hub_stop(struct sq_http_hub *hub);

#endif
