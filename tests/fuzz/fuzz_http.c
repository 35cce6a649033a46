/* SPDX-License-Identifier: Apache-2.0 */
/* The input is what a client sends over one connection before it stops sending. Whatever it is, the server answers with HTTP or with nothing,
 * hands no route more than it promises, and never fails by itself: of the 5xx, only 505 for a version that is none. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/require.h"
#include "worker/io/http.h"

enum { INPUT_BYTES_MAX = 1 << 16, TURNS_MAX = 40, TURN_MS = 1 };

static struct sq_loop *loop;

static void get_echo(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)ctx;
    const char *say = sq_http_query(request, "say");
    sq_buf_append_text(&reply->body, say ? say : "nothing");
}

static void get_first(const struct sq_http_request *request, struct sq_http_reply *reply, void *ctx)
{
    (void)request;
    (void)ctx;
    sq_buf_append_text(&reply->body, "{}");
}

static void post_echo(struct sq_http_call *call, struct sq_str body, void *ctx)
{
    (void)ctx;
    struct sq_buf answer;
    REQUIRE(body.bytes <= SQ_HTTP_BODY_BYTES_MAX);
    REQUIRE(strlen(sq_http_call_name(call)) < SQ_HTTP_NAME_BYTES);
    sq_buf_init(&answer);
    sq_buf_append_str(&answer, body);
    sq_http_call_answer(call, 200, "application/json", &answer);
}

static const struct sq_http_route routes[] = {
    {"/echo", get_echo, SQ_HTTP_PLAIN, NULL},           {"/probe", get_echo, SQ_HTTP_PROBE, NULL},
    {"/stream", get_first, SQ_HTTP_STREAM, NULL},       {"/post", get_echo, SQ_HTTP_PLAIN, post_echo},
    {"/things/*", NULL, SQ_HTTP_DELETE, post_echo},     {"/things/*/do", NULL, SQ_HTTP_PLAIN, post_echo},
};

/* One for each input: a server keeps the connection of half a request, and a stream, until a time-out, and a fuzzer soon has them all. */
static struct sq_http *open_server(void)
{
    struct sq_http *http;
    const struct sq_http_options options = {.listen = "127.0.0.1:0", .routes = routes, .routes_count = sizeof routes / sizeof *routes};
    if (!loop) REQUIRE(sq_loop_open(&loop, NULL) == 0);
    REQUIRE(sq_http_open(&http, loop, &options, NULL) == 0);
    return http;
}

static int open_client(const struct sq_http *http)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned port = 0;
    REQUIRE(sscanf(sq_http_url(http), "http://127.0.0.1:%u/", &port) == 1);
    address.sin_port = htons((uint16_t)port);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    return client;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char answer[4096];
    size_t answered = 0;
    if (bytes == 0 || bytes > INPUT_BYTES_MAX) return 0;
    struct sq_http *http = open_server();
    int client = open_client(http);
    REQUIRE(send(client, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes && shutdown(client, SHUT_WR) == 0);
    REQUIRE(fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
        sq_loop_turn(loop, TURN_MS);
        ssize_t got = recv(client, answer + answered, sizeof answer - answered, 0);
        if (got > 0) answered += (size_t)got;
        else if (got == 0 || errno != EAGAIN) break;
        if (answered == sizeof answer) break;
    }
    close(client);
    sq_http_close(http);
    sq_loop_turn(loop, TURN_MS);
    REQUIRE(answered == 0 || (answered > 12 && memcmp(answer, "HTTP/1.", 7) == 0));
    REQUIRE(answered == 0 || answer[9] != '5' || memcmp(answer + 9, "505", 3) == 0);
    return 0;
}
