/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the state topic as worker/io/state_reader_kafka.c does: to the log's end as it is asked for, stopping at open transactions. */
#include <stdlib.h>

#include "tests/sim/pipeline/sim.h"

enum { RECORDS_PER_TURN = 20 };

struct request {
    struct request *next;
    int32_t partition;
    void *cookie; /* NULL: cancelled */
    int64_t position, end; /* end -1: not asked for yet */
};

struct reader {
    struct sq_state_reader base; /* first */
    struct sim_worker *worker;
    struct sq_state_handler handler;
    struct request *first;
    bool is_turning;
};

static void on_turn(void *ctx);

static void turn_soon(struct reader *reader)
{
    if (reader->is_turning) return;
    reader->is_turning = true;
    sim_after(sim_between_ms(1, 60), reader->worker, on_turn, reader);
}

static void give_records(struct reader *reader, struct request *request)
{
    struct sim_broker *broker = &sim->broker;
    int64_t stable = sim_lso(broker, SQ_TOPIC_STATE, request->partition), limit = stable < request->end ? stable : request->end;
    for (int n = 0; request->position < limit && request->cookie && n < RECORDS_PER_TURN; request->position++) {
        struct sim_record record = broker->logs[SQ_TOPIC_STATE][request->partition].records[request->position];
        if (!sim_is_committed(broker, &record)) continue;
        reader->handler.record(request->cookie, record.key, record.value, reader->handler.ctx);
        n++;
    }
}

static void on_turn(void *ctx)
{
    struct reader *reader = ctx;
    struct request *request = reader->first;
    reader->is_turning = false;
    if (!request) return;
    if (request->end < 0)
        request->end = sim->mutation == SIM_RESTORE_TO_LSO ? sim_lso(&sim->broker, SQ_TOPIC_STATE, request->partition)
                                                           : sim->broker.logs[SQ_TOPIC_STATE][request->partition].count;
    if (request->cookie) give_records(reader, request);
    void *cookie = request->cookie;
    bool is_done = !cookie || request->position >= request->end;
    if (cookie) reader->handler.progress(cookie, request->position, request->end, reader->handler.ctx);
    if (is_done) {
        reader->first = request->next;
        free(request);
        if (cookie) reader->handler.done(cookie, reader->handler.ctx);
    }
    if (reader->first) turn_soon(reader);
}

static void reader_start(struct sq_state_reader *base, const struct sq_state_handler *handler) { ((struct reader *)base)->handler = *handler; }

static int reader_read(struct sq_state_reader *base, int32_t partition, void *cookie, struct sq_err *err)
{
    (void)err;
    struct reader *reader = (struct reader *)base;
    struct request *request = calloc(1, sizeof *request), **link = &reader->first;
    if (!request) abort();
    *request = (struct request){.partition = partition, .cookie = cookie, .end = -1};
    while (*link) link = &(*link)->next;
    *link = request;
    turn_soon(reader);
    return 0;
}

static void reader_cancel(struct sq_state_reader *base, void *cookie)
{
    for (struct request *request = ((struct reader *)base)->first; request; request = request->next)
        if (request->cookie == cookie) request->cookie = NULL;
}

static void reader_close(struct sq_state_reader *base)
{
    struct reader *reader = (struct reader *)base;
    while (reader->first) {
        struct request *next = reader->first->next;
        free(reader->first);
        reader->first = next;
    }
    free(reader);
}

struct sq_state_reader *sim_state_reader_open(struct sim_worker *worker)
{
    static const struct sq_state_reader_ops ops = {reader_start, reader_read, reader_cancel, reader_close};
    struct reader *reader = calloc(1, sizeof *reader);
    if (!reader) abort();
    *reader = (struct reader){.base = {&ops}, .worker = worker};
    return &reader->base;
}
