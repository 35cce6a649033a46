/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http_stream.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"

enum { BLOCK_BYTES = 16384, RETRY_MS = 2000 };
static const uint64_t SILENCE_NS = 15000000000u;

/* Shared by the ring and by the readers in the middle of it. */
struct event {
    unsigned references;
    size_t bytes;
    char data[];
};

struct reader {
    struct sq_http_hub *hub;
    struct MHD_Connection *connection;
    struct reader *next, **link; /* link: the pointer that points here */
    struct event *event; /* being sent, from `at` on; NULL: between events */
    size_t at;
    uint64_t next_id;
    uint64_t sent_ns;
    bool suspended, silent; /* silent: owes a comment */
};

struct sq_http_hub {
    struct event *ring[SQ_HTTP_STREAM_EVENTS_MAX]; /* event id stands at [id % MAX] */
    uint64_t next_id; /* ids count from 1 */
    struct reader *readers;
    unsigned readers_count;
    bool stopped;
};

static struct event *event_new(struct sq_str head, struct sq_str data)
{
    struct event *event = malloc(sizeof *event + head.bytes + data.bytes + 2);
    if (!event) return NULL;
    event->references = 1;
    event->bytes = head.bytes + data.bytes + 2;
    memcpy(event->data, head.data, head.bytes);
    if (data.bytes) memcpy(event->data + head.bytes, data.data, data.bytes);
    memcpy(event->data + head.bytes + data.bytes, "\n\n", 2);
    return event;
}

static void event_release(struct event *event)
{
    if (event && --event->references == 0) free(event);
}

struct sq_http_hub *sq_http_hub_open(void)
{
    struct sq_http_hub *hub = calloc(1, sizeof *hub);
    if (hub) hub->next_id = 1;
    return hub;
}

void sq_http_hub_close(struct sq_http_hub *hub)
{
    if (!hub) return;
    for (unsigned i = 0; i < SQ_HTTP_STREAM_EVENTS_MAX; i++) event_release(hub->ring[i]);
    free(hub);
}

unsigned sq_http_hub_readers(const struct sq_http_hub *hub) { return hub->readers_count; }

void sq_http_hub_send(struct sq_http_hub *hub, const char *name, struct sq_str data)
{
    char head[128];
    int bytes = snprintf(head, sizeof head, "id: %llu\nevent: %s\ndata: ", (unsigned long long)hub->next_id, name);
    struct event *event = event_new((struct sq_str){head, (size_t)bytes}, data);
    if (!event) return; /* the next one is 250 ms away */
    struct event **slot = &hub->ring[hub->next_id++ % SQ_HTTP_STREAM_EVENTS_MAX];
    event_release(*slot);
    *slot = event;
}

/* Takes up what the reader has to send next; false when there is nothing. */
static bool reader_advance(struct reader *reader)
{
    struct sq_http_hub *hub = reader->hub;
    event_release(reader->event);
    reader->event = NULL;
    reader->at = 0;
    if (reader->next_id < hub->next_id) {
        uint64_t oldest = hub->next_id > SQ_HTTP_STREAM_EVENTS_MAX ? hub->next_id - SQ_HTTP_STREAM_EVENTS_MAX : 1;
        if (reader->next_id < oldest) reader->next_id = oldest;
        reader->event = hub->ring[reader->next_id++ % SQ_HTTP_STREAM_EVENTS_MAX];
        reader->event->references++;
    } else if (reader->silent) {
        reader->event = event_new(SQ_STR(":"), SQ_STR(""));
    }
    reader->silent = false;
    return reader->event != NULL;
}

static ssize_t on_read(void *ctx, uint64_t position, char *out, size_t bytes_max)
{
    (void)position;
    struct reader *reader = ctx;
    if (reader->hub->stopped) return MHD_CONTENT_READER_END_OF_STREAM;
    size_t bytes = 0;
    while (bytes < bytes_max) {
        bool finished = !reader->event || reader->at == reader->event->bytes;
        if (finished && !reader_advance(reader)) break;
        size_t step = reader->event->bytes - reader->at;
        if (step > bytes_max - bytes) step = bytes_max - bytes;
        memcpy(out + bytes, reader->event->data + reader->at, step);
        reader->at += step;
        bytes += step;
    }
    if (bytes) {
        reader->sent_ns = sq_clock_monotonic_ns();
    } else {
        reader->suspended = true;
        MHD_suspend_connection(reader->connection);
    }
    return (ssize_t)bytes;
}

static void on_gone(void *ctx)
{
    struct reader *reader = ctx;
    *reader->link = reader->next;
    if (reader->next) reader->next->link = reader->link;
    sq_metric_set(SQ_M_SSE_CLIENTS, 0, --reader->hub->readers_count);
    event_release(reader->event);
    free(reader);
}

static struct reader *reader_new(struct sq_http_hub *hub, struct MHD_Connection *connection)
{
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    *reader = (struct reader){.hub = hub, .connection = connection, .next_id = hub->next_id, .sent_ns = sq_clock_monotonic_ns()};
    reader->next = hub->readers;
    reader->link = &hub->readers;
    if (reader->next) reader->next->link = &reader->next;
    hub->readers = reader;
    sq_metric_set(SQ_M_SSE_CLIENTS, 0, ++hub->readers_count);
    return reader;
}

struct MHD_Response *sq_http_hub_response(struct sq_http_hub *hub, struct MHD_Connection *connection, struct sq_str snapshot)
{
    if (hub->readers_count >= SQ_HTTP_STREAMS_MAX) return NULL;
    struct reader *reader = reader_new(hub, connection);
    if (!reader) return NULL;
    char head[64];
    int bytes = snprintf(head, sizeof head, "retry: %d\nevent: snapshot\ndata: ", RETRY_MS);
    reader->event = event_new((struct sq_str){head, (size_t)bytes}, snapshot);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, on_read, reader, on_gone);
    if (!response) on_gone(reader);
    return response;
}

static void reader_resume(struct reader *reader)
{
    if (!reader->suspended) return;
    reader->suspended = false;
    MHD_resume_connection(reader->connection);
}

void sq_http_hub_tick(struct sq_http_hub *hub, uint64_t now_ns)
{
    for (struct reader *reader = hub->readers; reader; reader = reader->next) {
        reader->silent = now_ns - reader->sent_ns >= SILENCE_NS;
        if (reader->silent || reader->next_id < hub->next_id) reader_resume(reader);
    }
}

void sq_http_hub_stop(struct sq_http_hub *hub)
{
    hub->stopped = true;
    for (struct reader *reader = hub->readers; reader; reader = reader->next) reader_resume(reader);
}
