/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http_post.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/json.h"

enum state { COLLECTING, WAITING, ANSWERED, SENT };

struct sq_http_call {
    struct sq_http_calls *calls;
    struct sq_http_call *next, *previous; /* in calls */
    struct MHD_Connection *connection;
    const struct sq_http_route *route;
    char name[SQ_HTTP_NAME_BYTES];
    struct sq_buf body;
    bool is_too_large, is_suspended;
    enum state state;
    unsigned status;
    const char *type;
    struct MHD_Response *response;      /* owned; from the answer to its sending */
    char headers[SQ_HTTP_CALL_HEADERS_MAX][2][64];
    unsigned headers_count;
};

struct sq_http_call *sq_http_call_open(struct sq_http_calls *calls, struct MHD_Connection *connection, const struct sq_http_route *route,
                                       struct sq_str name)
{
    struct sq_http_call *call = calloc(1, sizeof *call);
    if (!call) return NULL;
    *call = (struct sq_http_call){.calls = calls, .next = calls->head, .connection = connection, .route = route};
    snprintf(call->name, sizeof call->name, "%.*s", (int)name.bytes, name.bytes ? name.data : "");
    sq_buf_init(&call->body);
    if (calls->head) calls->head->previous = call;
    calls->head = call;
    return call;
}

void sq_http_call_close(struct sq_http_call *call)
{
    if (call->next) call->next->previous = call->previous;
    if (call->previous) call->previous->next = call->next;
    else call->calls->head = call->next;
    if (call->response) MHD_destroy_response(call->response);
    sq_buf_deinit(&call->body);
    free(call);
}

const char *sq_http_call_name(const struct sq_http_call *call) { return call->name; }

void sq_http_call_header(struct sq_http_call *call, const char *name, const char *value)
{
    if (call->headers_count == SQ_HTTP_CALL_HEADERS_MAX) return;
    char(*header)[64] = call->headers[call->headers_count++];
    snprintf(header[0], sizeof header[0], "%s", name);
    snprintf(header[1], sizeof header[1], "%s", value);
}

void sq_http_call_answer(struct sq_http_call *call, unsigned status, const char *type, struct sq_buf *body)
{
    call->status = status;
    call->type = type;
    call->response = sq_buf_failed(body) ? NULL : MHD_create_response_from_buffer(body->bytes, body->data, MHD_RESPMEM_MUST_COPY);
    for (unsigned i = 0; call->response && i < call->headers_count; i++)
        MHD_add_response_header(call->response, call->headers[i][0], call->headers[i][1]);
    sq_buf_deinit(body);
    call->state = ANSWERED;
    if (!call->is_suspended) return; /* it is being asked right now */
    call->is_suspended = false;
    MHD_resume_connection(call->connection);
    call->calls->answered(call->calls->ctx);
}

void sq_http_call_refuse(struct sq_http_call *call, unsigned status, const char *type, const char *message)
{
    struct sq_buf body;
    sq_buf_init(&body);
    sq_buf_append_char(&body, '{');
    sq_json_write_key(&body, "error");
    sq_json_write_str(&body, sq_str_view(message));
    sq_json_write_key(&body, "error_type");
    sq_json_write_str(&body, sq_str_view(type));
    sq_buf_append_text(&body, "}\n");
    sq_http_call_answer(call, status, "application/json", &body);
}

/* Hands the whole body to its handler, which may answer at once. */
static void give(struct sq_http_call *call, void *ctx)
{
    call->state = WAITING;
    if (call->is_too_large) sq_http_call_refuse(call, MHD_HTTP_CONTENT_TOO_LARGE, "Validation", "the body has over 1 MiB");
    else if (sq_buf_failed(&call->body)) sq_http_call_refuse(call, MHD_HTTP_SERVICE_UNAVAILABLE, "Overloaded", "no memory for the body");
    else call->route->post(call, sq_buf_view(&call->body), ctx);
}

static enum MHD_Result collect(struct sq_http_call *call, const char *upload, size_t *upload_bytes)
{
    call->is_too_large |= call->body.bytes + *upload_bytes > SQ_HTTP_BODY_BYTES_MAX;
    if (!call->is_too_large) sq_buf_append(&call->body, upload, *upload_bytes);
    *upload_bytes = 0;
    return MHD_YES;
}

static enum MHD_Result send_answer(struct sq_http_call *call)
{
    struct MHD_Response *response = call->response;
    call->state = SENT;
    call->response = NULL;
    return call->calls->send(call->connection, call->status, call->type, "no-store", response);
}

enum MHD_Result sq_http_call_continue(struct sq_http_call *call, const char *upload, size_t *upload_bytes, void *ctx)
{
    if (*upload_bytes > 0) return collect(call, upload, upload_bytes);
    if (call->state == COLLECTING) give(call, ctx);
    if (call->state == ANSWERED) return send_answer(call);
    if (!call->is_suspended) MHD_suspend_connection(call->connection);
    call->is_suspended = true;
    return MHD_YES;
}

static void do_nothing(void *ctx) { (void)ctx; }

void sq_http_calls_stop(struct sq_http_calls *calls)
{
    calls->answered = do_nothing; /* libmicrohttpd runs when all are answered, since it ends calls that are over */
    for (struct sq_http_call *call = calls->head, *next; call; call = next) {
        next = call->next;
        if (call->state == WAITING) sq_http_call_refuse(call, MHD_HTTP_SERVICE_UNAVAILABLE, "Unhealthy", "the worker is stopping");
    }
}
