/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/metrics.h"
#include "worker/io/http_address.h"
#include "worker/io/http_post.h"
#include "worker/io/http_stream.h"
#include "worker/io/page.h"

enum {
    CONNECTION_BYTES = 32768, /* a connection's buffers; longer headers are answered 431 */
    IDLE_SECONDS = 30,
    RUNS_MAX = 32, /* turns libmicrohttpd may have in a row before others do */
};

struct sq_http {
    struct sq_http_options options;
    struct sq_http_address address;
    struct MHD_Daemon *daemon;
    struct sq_watch *watch;
    struct sq_timer *timer;
    struct sq_http_hub *hub;
    struct sq_http_calls calls;
    char *token; /* NULL: none */
};

/* Sent with every answer. Scripts and styles come from this server alone, and nobody may frame or read it from elsewhere. */
static const char *const security_headers[][2] = {
    {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

static void run(void *ctx)
{
    struct sq_http *http = ctx;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    for (int i = 0; i < RUNS_MAX && wait_ms == 0; i++) {
        MHD_run(http->daemon);
        if (MHD_get_timeout(http->daemon, &wait_ms) != MHD_YES) break;
    }
}

static void on_tick(void *ctx)
{
    struct sq_http *http = ctx;
    sq_http_hub_tick(http->hub, sq_clock_monotonic_ns());
    run(http);
}

const char *sq_http_query(const struct sq_http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Adds what every response carries, sends it, and lets go of it. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, const char *caching,
                              struct MHD_Response *response)
{
    if (!response) return MHD_NO;
    for (size_t i = 0; i < sizeof security_headers / sizeof *security_headers; i++)
        MHD_add_response_header(response, security_headers[i][0], security_headers[i][1]);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, caching);
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"squall: any name, the token as password\"");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    sq_metric_add(SQ_M_HTTP_REQUESTS, status < 400 ? 0 : status < 500 ? 1 : 2, 1);
    return result;
}

static enum MHD_Result answer_buf(struct MHD_Connection *connection, unsigned status, const char *type, struct sq_buf *body)
{
    if (sq_buf_failed(body)) {
        sq_buf_deinit(body);
        return MHD_NO;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(body->bytes, body->data, MHD_RESPMEM_MUST_COPY);
    sq_buf_deinit(body);
    return answer(connection, status, type, "no-store", response);
}

static enum MHD_Result answer_error(struct MHD_Connection *connection, unsigned status, const char *message)
{
    struct sq_buf body;
    sq_buf_init(&body);
    sq_buf_append_text(&body, "{\"error\":");
    sq_json_write_str(&body, sq_str_view(message));
    sq_buf_append_text(&body, "}\n");
    return answer_buf(connection, status, "application/json", &body);
}

/* Takes as long for a near miss as for a wild guess. */
static bool token_equal(const char *token, const char *given)
{
    size_t token_bytes = strlen(token), given_bytes = strlen(given);
    unsigned difference = token_bytes != given_bytes;
    for (size_t i = 0; i < given_bytes; i++) difference |= (unsigned char)(given[i] ^ token[i % (token_bytes + 1)]);
    return difference == 0;
}

/* As a bearer token, or as the password a browser asks for. */
static bool is_authorised(const struct sq_http *http, struct MHD_Connection *connection)
{
    if (!http->token) return true;
    const char *given = header(connection, MHD_HTTP_HEADER_AUTHORIZATION);
    if (given && strncasecmp(given, "Bearer ", 7) == 0) return token_equal(http->token, given + 7);
    char *password = NULL;
    char *name = MHD_basic_auth_get_username_password(connection, &password);
    bool equal = password && token_equal(http->token, password);
    MHD_free(name);
    MHD_free(password);
    return equal;
}

static bool is_from_here(const struct sq_http *http, struct MHD_Connection *connection)
{
    const char *host = header(connection, MHD_HTTP_HEADER_HOST), *origin = header(connection, MHD_HTTP_HEADER_ORIGIN);
    if (!host || !sq_http_address_allows(&http->address, host)) return false;
    if (!origin) return true;
    const char *authority = strstr(origin, "://");
    return authority && strcasecmp(authority + 3, host) == 0;
}

static enum MHD_Result answer_page(struct MHD_Connection *connection, const struct sq_page_file *file)
{
    /* MHD_RESPMEM_PERSISTENT only reads; its signature predates const. */
    void *data = (void *)(uintptr_t)file->data;
    return answer(connection, MHD_HTTP_OK, file->type, "no-cache",
                  MHD_create_response_from_buffer(file->bytes, data, MHD_RESPMEM_PERSISTENT));
}

static enum MHD_Result answer_stream(struct sq_http *http, struct MHD_Connection *connection, const struct sq_buf *snapshot)
{
    struct MHD_Response *response = sq_http_hub_response(http->hub, connection, sq_buf_view(snapshot));
    if (!response) return answer_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many event streams are open: close another page");
    return answer(connection, MHD_HTTP_OK, "text/event-stream", "no-store", response);
}

static enum MHD_Result answer_route(struct sq_http *http, struct MHD_Connection *connection, const struct sq_http_route *route,
                                    const char *method)
{
    struct sq_http_request request = {route->path, connection};
    struct sq_http_reply reply = {.status = MHD_HTTP_OK, .type = "application/json"};
    sq_buf_init(&reply.body);
    route->handle(&request, &reply, http->options.ctx);
    if (route->kind != SQ_HTTP_STREAM) return answer_buf(connection, reply.status, reply.type, &reply.body);

    bool streams = strcmp(method, MHD_HTTP_METHOD_GET) == 0; /* HEAD gets the headers and no reader */
    enum MHD_Result result = MHD_YES;
    if (streams) result = answer_stream(http, connection, &reply.body);
    sq_buf_deinit(&reply.body);
    return streams ? result : answer_buf(connection, MHD_HTTP_OK, "text/event-stream", &reply.body);
}

/* Whether it is the route's path; `name` is what stood for its star. */
static bool is_path_of(const struct sq_http_route *route, const char *path, struct sq_str *name)
{
    const char *star = strchr(route->path, '*');
    size_t before = star ? (size_t)(star - route->path) : strlen(route->path);
    *name = (struct sq_str){0};
    if (!star) return strcmp(route->path, path) == 0;
    if (strncmp(route->path, path, before) != 0) return false;
    *name = (struct sq_str){path + before, strcspn(path + before, "/")};
    return name->bytes > 0 && name->bytes < SQ_HTTP_NAME_BYTES && strcmp(star + 1, path + before + name->bytes) == 0;
}

static const struct sq_http_route *find_route(const struct sq_http *http, const char *path, struct sq_str *name)
{
    for (unsigned i = 0; i < http->options.routes_count; i++)
        if (is_path_of(&http->options.routes[i], path, name)) return &http->options.routes[i];
    return NULL;
}

static const struct sq_page_file *find_page(const char *path)
{
    for (size_t i = 0; i < sq_page_files_count; i++)
        if (strcmp(sq_page_files[i].path, path) == 0) return &sq_page_files[i];
    return NULL;
}

/* What forbids an answer, as a status with its sentence; 0 when nothing does. */
static unsigned refusal(const struct sq_http *http, struct MHD_Connection *connection, bool is_probe, const char **why)
{
    bool any_host = is_probe && !http->address.loopback;
    *why = "this Host or Origin is not this server's: use an IP address, localhost, or the name in http.listen";
    if (!any_host && !is_from_here(http, connection)) return MHD_HTTP_FORBIDDEN;
    *why = "a token is needed: send 'Authorization: Bearer TOKEN'";
    return is_probe || is_authorised(http, connection) ? 0 : MHD_HTTP_UNAUTHORIZED;
}

/* The same of a POST: it costs work or changes something, so nobody may send one by a plain link or form, or from afar without a token. */
static unsigned post_refusal(const struct sq_http *http, struct MHD_Connection *connection, const char **why)
{
    static const char json[] = "application/json";
    const char *type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    *why = "beyond this machine POST needs a token: set http.token_file";
    if (!sq_http_shows_texts(http)) return MHD_HTTP_FORBIDDEN;
    *why = "POST needs Content-Type: application/json";
    bool is_json = type && strncasecmp(type, json, sizeof json - 1) == 0 && strchr("; \t", type[sizeof json - 1]);
    return is_json ? 0 : MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
}

static const char *posting_method(const struct sq_http_route *route)
{
    return route->kind == SQ_HTTP_DELETE ? MHD_HTTP_METHOD_DELETE : MHD_HTTP_METHOD_POST;
}

static enum MHD_Result answer_wrong_method(struct MHD_Connection *connection, const struct sq_http_route *route)
{
    const char *allowed = !route || !route->post ? "GET, HEAD" : route->handle ? "GET, HEAD, POST" : posting_method(route);
    char body[128];
    int bytes = snprintf(body, sizeof body, "{\"error\":\"only %s is answered here\"}\n", allowed);
    struct MHD_Response *response = MHD_create_response_from_buffer((size_t)bytes, body, MHD_RESPMEM_MUST_COPY);
    if (response) MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allowed);
    return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "application/json", "no-store", response);
}

static enum MHD_Result begin_post(struct sq_http *http, struct MHD_Connection *connection, const struct sq_http_route *route,
                                  struct sq_str name, void **request_ctx)
{
    const char *why;
    unsigned status = refusal(http, connection, false, &why);
    if (!status) status = post_refusal(http, connection, &why);
    if (status) return answer_error(connection, status, why);
    *request_ctx = sq_http_call_open(&http->calls, connection, route, name);
    return *request_ctx ? MHD_YES : MHD_NO;
}

static int read_marker; /* the context of a request without a body */

static enum MHD_Result answer_read(struct sq_http *http, struct MHD_Connection *connection, const struct sq_http_route *route,
                                   const char *path, const char *method)
{
    const char *why;
    unsigned status = refusal(http, connection, route && route->kind == SQ_HTTP_PROBE, &why);
    if (status) return answer_error(connection, status, why);
    if (route && !route->handle) return answer_wrong_method(connection, route);
    if (route) return answer_route(http, connection, route, method);
    const struct sq_page_file *page = find_page(path);
    if (page) return answer_page(connection, page);
    return answer_error(connection, MHD_HTTP_NOT_FOUND, "nothing is here: ops/docs/HTTP.md lists what is");
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *upload, size_t *upload_bytes, void **request_ctx)
{
    (void)version;
    struct sq_http *http = ctx;
    struct sq_str name;
    const struct sq_http_route *route = find_route(http, path, &name);
    bool reads = strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (*request_ctx && !reads) return sq_http_call_continue(*request_ctx, upload, upload_bytes, http->options.ctx);
    if (!reads && route && route->post && strcmp(method, posting_method(route)) == 0)
        return begin_post(http, connection, route, name, request_ctx);
    if (!reads) {
        const char *why;
        unsigned status = refusal(http, connection, false, &why);
        return status ? answer_error(connection, status, why) : answer_wrong_method(connection, route);
    }
    if (*request_ctx) return answer_read(http, connection, route, path, method);
    *request_ctx = &read_marker; /* an answer to the headers alone would end the connection */
    return MHD_YES;
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **request_ctx, enum MHD_RequestTerminationCode code)
{
    (void)ctx;
    (void)connection;
    (void)code;
    if (*request_ctx && *request_ctx != &read_marker) sq_http_call_close(*request_ctx);
    *request_ctx = NULL;
}

static int start(struct sq_http *http, struct sq_loop *loop, struct sq_err *err)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    http->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, http->address.fd,
                                    MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)SQ_HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                    (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (!http->daemon) return sq_err_set(err, SQ_E_FAILED, "http: libmicrohttpd would not start");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info) return sq_err_set(err, SQ_E_FAILED, "http: libmicrohttpd was built without epoll");
    int status = sq_watch_open(&http->watch, loop, info->epoll_fd, run, http, err);
    if (status == 0) status = sq_timer_open(&http->timer, loop, SQ_HTTP_TICK_MS, on_tick, http, err);
    return status;
}

int sq_http_open(struct sq_http **out, struct sq_loop *loop, const struct sq_http_options *options, struct sq_err *err)
{
    *out = NULL;
    struct sq_http *http = calloc(1, sizeof *http);
    if (!http) return sq_err_set(err, SQ_E_NOMEM, "no memory for the HTTP server");
    http->options = *options;
    http->address.fd = -1;
    http->calls = (struct sq_http_calls){.send = answer, .answered = run, .ctx = http};
    http->hub = sq_http_hub_open();
    http->token = options->token ? strdup(options->token) : NULL;
    int status = 0;
    if (!http->hub || (options->token && !http->token)) status = sq_err_set(err, SQ_E_NOMEM, "no memory for the HTTP server");
    if (status == 0) status = sq_http_address_listen(&http->address, options->listen, err);
    if (status == 0) status = start(http, loop, err);
    if (status == 0) *out = http;
    else sq_http_close(http);
    return status;
}

void sq_http_close(struct sq_http *http)
{
    if (!http) return;
    sq_timer_close(http->timer);
    sq_watch_close(http->watch);
    if (http->daemon) {
        sq_http_hub_stop(http->hub); /* libmicrohttpd must not be stopped with suspended connections */
        sq_http_calls_stop(&http->calls);
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    } else if (http->address.fd >= 0) {
        close(http->address.fd);
    }
    sq_http_hub_close(http->hub);
    free(http->token);
    free(http);
}

const char *sq_http_url(const struct sq_http *http) { return http->address.url; }
bool sq_http_shows_texts(const struct sq_http *http) { return http->address.loopback || http->token; }
unsigned sq_http_streams_count(const struct sq_http *http) { return sq_http_hub_readers(http->hub); }

void sq_http_stream_send(struct sq_http *http, const char *event, struct sq_str data) { sq_http_hub_send(http->hub, event, data); }
