/* SPDX-License-Identifier: Apache-2.0 */
/* The server as its clients see it: raw requests over a socket, answers as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"
#include "worker/io/http.h"
#include "worker/io/http_address.h"
#include "worker/io/http_client.h"

struct fixture {
    struct sq_loop *loop;
    struct sq_http *http;
    unsigned port;
    struct sq_http_call *kept; /* answered later */
};

static void get_echo(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)ctx;
    const char *say = sq_http_query(request, "say");
    sq_buf_printf(&reply->body, "{\"said\":\"%s\"}", say ? say : "");
}

static void get_teapot(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    (void)ctx;
    reply->status = 503;
    reply->type = "text/plain";
    sq_buf_append_text(&reply->body, "not now");
}

static void get_snapshot(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    (void)ctx;
    sq_buf_append_text(&reply->body, "{\"all\":1}");
}

static void answer_with(struct sq_http_call *call, struct sq_str text)
{
    struct sq_buf body;
    sq_buf_init(&body);
    sq_buf_append_str(&body, text);
    sq_http_call_header(call, "x-tokens", "7");
    sq_http_call_answer(call, 200, "application/json", &body);
}

static void post_now(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    (void)ctx;
    answer_with(call, body);
}

static void post_later(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    (void)body;
    ((struct fixture *)ctx)->kept = call;
}

static void post_name(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    (void)body;
    (void)ctx;
    answer_with(call, sq_str_view(sq_http_call_name(call)));
}

static const struct sq_http_route routes[] = {
    {"/echo", get_echo, SQ_HTTP_PLAIN, NULL},         {"/probe", get_teapot, SQ_HTTP_PROBE, NULL},
    {"/stream", get_snapshot, SQ_HTTP_STREAM, NULL}, {"/now", NULL, SQ_HTTP_PLAIN, post_now},
    {"/later", get_echo, SQ_HTTP_PLAIN, post_later}, {"/things/*", NULL, SQ_HTTP_DELETE, post_name},
    {"/things/*/do", NULL, SQ_HTTP_PLAIN, post_name},
};
enum { ROUTES_COUNT = sizeof routes / sizeof *routes };

static void open_server(struct fixture *fixture, const char *listen_on, const char *token)
{
    struct sq_err err;
    fixture->kept = NULL;
    struct sq_http_options options = {.listen = listen_on, .token = token, .routes = routes, .routes_count = ROUTES_COUNT, .ctx = fixture};
    assert_int_equal(sq_loop_open(&fixture->loop, &err), 0);
    if (sq_http_open(&fixture->http, fixture->loop, &options, &err) != 0) fail_msg("%s", err.message);
    assert_int_equal(sscanf(sq_http_url(fixture->http), "http://127.0.0.1:%u/", &fixture->port), 1);
}

static void close_server(struct fixture *fixture)
{
    sq_http_close(fixture->http);
    sq_loop_close(fixture->loop);
}

static int connect_client(const struct fixture *fixture)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)fixture->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* Turns the loop until the answer holds `until`, or the server closes, or it takes too long. */
static void read_answer(const struct fixture *fixture, int fd, const char *until, struct sq_buf *answer)
{
    uint64_t deadline_ns = sq_clock_monotonic_ns() + 10000000000u;
    while (sq_clock_monotonic_ns() < deadline_ns) {
        char chunk[65536];
        ssize_t bytes = recv(fd, chunk, sizeof chunk, 0);
        if (bytes > 0) sq_buf_append(answer, chunk, (size_t)bytes);
        if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) return;
        if (until && answer->data && strstr(answer->data, until)) return;
        sq_loop_turn(fixture->loop, 5);
    }
    fail_msg("no '%s' within 10 s in: %s", until ? until : "end", answer->data ? answer->data : "");
}

/* Sends one request and gives everything up to the server's close. */
static const char *exchange(const struct fixture *fixture, struct sq_buf *answer, const char *request)
{
    int fd = connect_client(fixture);
    sq_buf_clear(answer);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    read_answer(fixture, fd, NULL, answer);
    close(fd);
    return answer->data ? answer->data : "";
}

#define REQUEST(method, path, headers) method " " path " HTTP/1.1\r\n" headers "Connection: close\r\n\r\n"
#define LOCAL "Host: 127.0.0.1\r\n"
#define POST(path, headers, body_bytes, body) REQUEST("POST", path, LOCAL headers "Content-Length: " body_bytes "\r\n") body
#define JSON "Content-Type: application/json\r\n"

static void assert_status(const char *answer, const char *status)
{
    char wanted[32];
    int bytes = snprintf(wanted, sizeof wanted, "HTTP/1.1 %s", status);
    if (strncmp(answer, wanted, (size_t)bytes) != 0) fail_msg("wanted %s, got: %.200s", wanted, answer);
}

static void routes_are_answered_with_the_headers_of_safety(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    const char *text = exchange(&fixture, &answer, REQUEST("GET", "/echo?say=a%20b", LOCAL));
    assert_status(text, "200");
    assert_non_null(strstr(text, "{\"said\":\"a b\"}"));
    assert_non_null(strstr(text, "Content-Security-Policy: default-src 'self'"));
    assert_non_null(strstr(text, "X-Content-Type-Options: nosniff"));
    assert_null(strstr(text, "Access-Control-Allow"));
    text = exchange(&fixture, &answer, REQUEST("GET", "/probe", LOCAL));
    assert_status(text, "503");
    assert_non_null(strstr(text, "Content-Type: text/plain"));
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void the_page_is_inside(void **state)
{
    (void)state;
    static const char *const paths[][2] = {{"/", "text/html"}, {"/page.js", "text/javascript"}, {"/page.css", "text/css"}, {"/icon.svg", "image/svg+xml"}};
    struct fixture fixture;
    struct sq_buf answer = {0};
    size_t bytes = 0;
    open_server(&fixture, "127.0.0.1:0", NULL);
    for (size_t i = 0; i < 4; i++) {
        char request[256];
        snprintf(request, sizeof request, REQUEST("GET", "%s", LOCAL), paths[i][0]);
        const char *text = exchange(&fixture, &answer, request);
        assert_status(text, "200");
        assert_non_null(strstr(text, paths[i][1]));
        bytes += answer.bytes;
    }
    assert_in_range(bytes, 20000, 60 * 1024);
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void what_is_not_there_or_not_allowed_is_said_so(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    int64_t before = sq_metric_value(SQ_M_HTTP_REQUESTS, 1);
    const char *text = exchange(&fixture, &answer, REQUEST("GET", "/nothing", LOCAL));
    assert_status(text, "404");
    assert_non_null(strstr(text, "{\"error\":\""));
    text = exchange(&fixture, &answer, REQUEST("POST", "/echo", LOCAL "Content-Length: 2\r\n") "{}");
    assert_status(text, "405");
    assert_non_null(strstr(text, "Allow: GET, HEAD"));
    text = exchange(&fixture, &answer, REQUEST("DELETE", "/", LOCAL));
    assert_status(text, "405");
    assert_int_equal(sq_metric_value(SQ_M_HTTP_REQUESTS, 1) - before, 3);
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void a_post_is_answered_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    const char *text = exchange(&fixture, &answer, POST("/now", JSON, "7", "{\"a\":1}"));
    assert_status(text, "200");
    assert_non_null(strstr(text, "\r\n\r\n{\"a\":1}"));
    assert_non_null(strstr(text, "x-tokens: 7\r\n"));
    assert_non_null(strstr(text, "X-Content-Type-Options: nosniff"));
    assert_status(exchange(&fixture, &answer, POST("/now", "Content-Type: application/json; charset=utf-8\r\n", "2", "{}")), "200");
    assert_status(exchange(&fixture, &answer, POST("/now", "", "2", "{}")), "415"); /* what a form or a plain link can send */
    assert_status(exchange(&fixture, &answer, POST("/now", "Content-Type: text/plain\r\n", "2", "{}")), "415");
    assert_status(exchange(&fixture, &answer, POST("/now", JSON "Origin: http://evil.example\r\n", "2", "{}")), "403");
    text = exchange(&fixture, &answer, REQUEST("GET", "/now", LOCAL));
    assert_status(text, "405");
    assert_non_null(strstr(text, "Allow: POST"));
    assert_non_null(strstr(exchange(&fixture, &answer, REQUEST("DELETE", "/later", LOCAL)), "Allow: GET, HEAD, POST"));
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void a_body_over_the_bound_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0}, request = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    sq_buf_printf(&request, REQUEST("POST", "/now", LOCAL JSON "Content-Length: %d\r\n"), SQ_HTTP_BODY_BYTES_MAX + 1);
    for (int i = 0; i <= SQ_HTTP_BODY_BYTES_MAX; i++) sq_buf_append_char(&request, 'a');
    int fd = connect_client(&fixture);
    for (size_t sent = 0; sent < request.bytes;) {
        ssize_t bytes = send(fd, request.data + sent, request.bytes - sent, MSG_NOSIGNAL);
        if (bytes > 0) sent += (size_t)bytes;
        else sq_loop_turn(fixture.loop, 5);
    }
    read_answer(&fixture, fd, NULL, &answer);
    assert_status(answer.data, "413");
    assert_non_null(strstr(answer.data, "\"error_type\":\"Validation\""));
    close(fd);
    sq_buf_deinit(&answer);
    sq_buf_deinit(&request);
    close_server(&fixture);
}

static void a_path_may_name_what_it_is_about(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    const char *text = exchange(&fixture, &answer, POST("/things/a1/do", JSON, "2", "{}"));
    assert_status(text, "200");
    assert_non_null(strstr(text, "\r\n\r\na1"));
    text = exchange(&fixture, &answer, REQUEST("DELETE", "/things/b2", LOCAL JSON));
    assert_status(text, "200");
    assert_non_null(strstr(text, "\r\n\r\nb2"));
    assert_status(exchange(&fixture, &answer, REQUEST("DELETE", "/things/b2", LOCAL)), "415");
    assert_status(exchange(&fixture, &answer, REQUEST("DELETE", "/things/b2", LOCAL JSON "Origin: http://evil.example\r\n")), "403");
    assert_non_null(strstr(exchange(&fixture, &answer, POST("/things/b2", JSON, "2", "{}")), "Allow: DELETE"));
    assert_status(exchange(&fixture, &answer, REQUEST("DELETE", "/things/", LOCAL JSON)), "405");
    assert_status(exchange(&fixture, &answer, POST("/things/a/b/do", JSON, "2", "{}")), "405");
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

/* Sends a POST to /later and turns the loop until its handler has it. */
static int post_and_wait(struct fixture *fixture)
{
    static const char request[] = POST("/later", JSON, "2", "{}");
    uint64_t deadline_ns = sq_clock_monotonic_ns() + 10000000000u;
    int fd = connect_client(fixture);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    while (!fixture->kept && sq_clock_monotonic_ns() < deadline_ns) sq_loop_turn(fixture->loop, 5);
    assert_non_null(fixture->kept);
    return fd;
}

static void a_post_may_be_answered_later(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    int fd = post_and_wait(&fixture);
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/echo", LOCAL)), "200"); /* others go on meanwhile */
    sq_buf_clear(&answer);
    answer_with(fixture.kept, SQ_STR("{\"late\":1}"));
    read_answer(&fixture, fd, NULL, &answer);
    assert_status(answer.data, "200");
    assert_non_null(strstr(answer.data, "{\"late\":1}"));
    close(fd);

    fixture.kept = NULL;
    fd = post_and_wait(&fixture);
    close(fd); /* the client loses patience: the answer goes nowhere */
    sq_loop_turn(fixture.loop, 5);
    answer_with(fixture.kept, SQ_STR("{}"));
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/echo", LOCAL)), "200");

    fixture.kept = NULL;
    fd = post_and_wait(&fixture);
    close_server(&fixture); /* with a call that nobody answered */
    close(fd);
    sq_buf_deinit(&answer);
}

static void head_has_no_body(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    const char *text = exchange(&fixture, &answer, REQUEST("HEAD", "/echo", LOCAL));
    assert_status(text, "200");
    assert_null(strstr(text, "said"));
    text = exchange(&fixture, &answer, REQUEST("HEAD", "/stream", LOCAL)); /* and doesn't hang */
    assert_status(text, "200");
    assert_int_equal(sq_http_streams_count(fixture.http), 0);
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

/* A page elsewhere whose name was made to resolve to this machine sends its own name as Host. */
static void foreign_hosts_and_origins_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        REQUEST("GET", "/echo", "Host: evil.example\r\n"), REQUEST("GET", "/", "Host: evil.example:8088\r\n"),
        REQUEST("GET", "/probe", "Host: evil.example\r\n"), REQUEST("GET", "/echo", "Host: 127.0.0.1.evil.example\r\n"),
        REQUEST("GET", "/echo", LOCAL "Origin: http://evil.example\r\n"), REQUEST("GET", "/echo", LOCAL "Origin: null\r\n"),
        REQUEST("GET", "/echo", "Host: localhost:x\r\n"), "GET /echo HTTP/1.0\r\n\r\n",
    };
    static const char *const allowed[] = {
        REQUEST("GET", "/echo", "Host: localhost:8088\r\n"), REQUEST("GET", "/echo", "Host: [::1]:80\r\n"),
        REQUEST("GET", "/echo", LOCAL "Origin: http://127.0.0.1\r\n"),
    };
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strstr(exchange(&fixture, &answer, refused[i]), " 403 ")) fail_msg("not refused: %s", refused[i]);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) assert_status(exchange(&fixture, &answer, allowed[i]), "200");
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void beyond_loopback_probes_have_any_host_and_texts_stay_in(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "0.0.0.0:0", NULL);
    assert_false(sq_http_shows_texts(fixture.http));
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/probe", "Host: squall-0.internal\r\n")), "503");
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/echo", "Host: squall-0.internal\r\n")), "403");
    const char *text = exchange(&fixture, &answer, POST("/now", JSON, "2", "{}"));
    assert_status(text, "403");
    assert_non_null(strstr(text, "http.token_file"));
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void a_token_guards_all_but_probes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "0.0.0.0:0", "s3cret");
    assert_true(sq_http_shows_texts(fixture.http));
    const char *text = exchange(&fixture, &answer, REQUEST("GET", "/echo", LOCAL));
    assert_status(text, "401");
    assert_non_null(strstr(text, "WWW-Authenticate: Basic"));
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/", LOCAL "Authorization: Bearer s3cre\r\n")), "401");
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/", LOCAL "Authorization: Bearer s3cretX\r\n")), "401");
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/", LOCAL "Authorization: Bearer s3cret\r\n")), "200");
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/", LOCAL "Authorization: Basic bWU6czNjcmV0\r\n")), "200"); /* me:s3cret */
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/probe", LOCAL)), "503");
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

/* What comes up to `until` is added to the answer. */
static int open_stream(const struct fixture *fixture, const char *until, struct sq_buf *answer)
{
    static const char request[] = "GET /stream HTTP/1.1\r\n" LOCAL "\r\n";
    int fd = connect_client(fixture);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    read_answer(fixture, fd, until, answer);
    return fd;
}

static void a_stream_starts_with_a_snapshot_and_goes_on(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    int fd = open_stream(&fixture, "event: snapshot\ndata: {\"all\":1}\n\n", &answer);
    assert_non_null(strstr(answer.data, "Content-Type: text/event-stream"));
    assert_non_null(strstr(answer.data, "retry: 2000\n"));
    assert_int_equal(sq_http_streams_count(fixture.http), 1);
    sq_http_stream_send(fixture.http, "news", SQ_STR("{\"n\":1}"));
    sq_http_stream_send(fixture.http, "news", SQ_STR("{\"n\":2}"));
    read_answer(&fixture, fd, "id: 2\nevent: news\ndata: {\"n\":2}\n\n", &answer);
    assert_non_null(strstr(answer.data, "id: 1\nevent: news\ndata: {\"n\":1}\n\n"));
    close(fd);
    uint64_t deadline_ns = sq_clock_monotonic_ns() + 10000000000u;
    while (sq_http_streams_count(fixture.http) && sq_clock_monotonic_ns() < deadline_ns) { /* noticed when something is sent */
        sq_http_stream_send(fixture.http, "news", SQ_STR("{}"));
        sq_loop_turn(fixture.loop, 10);
    }
    assert_int_equal(sq_http_streams_count(fixture.http), 0);
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

/* Its cursor is all that a slow reader costs; what it missed shows as a gap in the ids. */
static void a_slow_reader_loses_the_oldest(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    int fd = open_stream(&fixture, "snapshot", &answer);
    for (int i = 0; i < 1000; i++) sq_http_stream_send(fixture.http, "n", SQ_STR("{}"));
    sq_buf_clear(&answer);
    read_answer(&fixture, fd, "id: 1000\n", &answer);
    assert_non_null(strstr(answer.data, "id: 937\n"));
    assert_null(strstr(answer.data, "id: 936\n"));
    close(fd);
    sq_buf_deinit(&answer);
    close_server(&fixture); /* with the stream still open and suspended */
}

static void streams_are_bounded(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0};
    int fds[SQ_HTTP_STREAMS_MAX];
    open_server(&fixture, "127.0.0.1:0", NULL);
    for (int i = 0; i < SQ_HTTP_STREAMS_MAX; i++) {
        sq_buf_clear(&answer);
        fds[i] = open_stream(&fixture, "snapshot", &answer);
    }
    const char *text = exchange(&fixture, &answer, REQUEST("GET", "/stream", LOCAL));
    assert_status(text, "503");
    for (int i = 0; i < SQ_HTTP_STREAMS_MAX; i++) close(fds[i]);
    sq_buf_deinit(&answer);
    close_server(&fixture);
}

static void broken_requests_harm_nobody(void **state)
{
    (void)state;
    struct fixture fixture;
    struct sq_buf answer = {0}, long_one = {0};
    open_server(&fixture, "127.0.0.1:0", NULL);
    sq_buf_append_text(&long_one, "GET /");
    for (int i = 0; i < 100000; i++) sq_buf_append_char(&long_one, 'a');
    sq_buf_append_text(&long_one, " HTTP/1.1\r\n" LOCAL "\r\n");
    int fd = connect_client(&fixture);
    assert_true(send(fd, long_one.data, long_one.bytes, MSG_NOSIGNAL) > 0);
    read_answer(&fixture, fd, " 414 ", &answer);
    close(fd);
    exchange(&fixture, &answer, "\r\n\r\n\x01\x02\x03 nonsense\r\n\r\n\r\n");
    assert_status(exchange(&fixture, &answer, REQUEST("GET", "/echo", LOCAL)), "200");
    sq_buf_deinit(&answer);
    sq_buf_deinit(&long_one);
    close_server(&fixture);
}

static void a_bad_or_taken_address_is_a_clear_error(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "[::1:80", "1.2.3.4.5:80", "::1:80"};
    struct sq_err err;
    struct sq_http_address address;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (sq_http_address_listen(&address, bad[i], &err) != SQ_E_CONFIG || !strstr(err.message, "http.listen")) fail_msg("accepted: %s", bad[i]);

    struct fixture fixture;
    char taken[64];
    struct sq_http *second;
    open_server(&fixture, "127.0.0.1:0", NULL);
    snprintf(taken, sizeof taken, "127.0.0.1:%u", fixture.port);
    struct sq_http_options options = {.listen = taken, .routes = routes, .routes_count = ROUTES_COUNT};
    assert_int_equal(sq_http_open(&second, fixture.loop, &options, &err), SQ_E_IO);
    assert_int_equal(sq_err_exit_code(err.code), 1);
    assert_non_null(strstr(err.message, taken));
    assert_non_null(strstr(err.message, "in use"));
    close_server(&fixture);
}

static void the_getter_knows_its_urls(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "127.0.0.1:80", "https://127.0.0.1/", "http://", "http:///x"};
    struct sq_err err;
    struct sq_buf body = {0};
    unsigned status;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_int_equal(sq_http_client_get(bad[i], 100, &status, &body, &err), SQ_E_USAGE);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", sq_http_client_free_port());
    assert_int_equal(sq_http_client_get(url, 500, &status, &body, &err), SQ_E_IO);
    sq_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_answered_with_the_headers_of_safety),
        cmocka_unit_test(the_page_is_inside),
        cmocka_unit_test(what_is_not_there_or_not_allowed_is_said_so),
        cmocka_unit_test(a_post_is_answered_at_once),
        cmocka_unit_test(a_body_over_the_bound_is_refused),
        cmocka_unit_test(a_post_may_be_answered_later),
        cmocka_unit_test(a_path_may_name_what_it_is_about),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(foreign_hosts_and_origins_are_refused),
        cmocka_unit_test(beyond_loopback_probes_have_any_host_and_texts_stay_in),
        cmocka_unit_test(a_token_guards_all_but_probes),
        cmocka_unit_test(a_stream_starts_with_a_snapshot_and_goes_on),
        cmocka_unit_test(a_slow_reader_loses_the_oldest),
        cmocka_unit_test(streams_are_bounded),
        cmocka_unit_test(broken_requests_harm_nobody),
        cmocka_unit_test(a_bad_or_taken_address_is_a_clear_error),
        cmocka_unit_test(the_getter_knows_its_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
