/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"

enum { ANSWER_BYTES_MAX = 1 << 20, REQUEST_BYTES_MAX = 16384 };

struct target {
    char host[256], port[8];
    char authority[300];
    const char *path;
};

static bool parse_url(const char *url, struct target *target)
{
    if (strncmp(url, "http://", 7) != 0) return false;
    const char *start = url + 7, *end = start + strcspn(start, "/");
    size_t bytes = (size_t)(end - start);
    if (bytes == 0 || bytes >= sizeof target->authority) return false;
    memcpy(target->authority, start, bytes);
    target->authority[bytes] = '\0';
    target->path = *end ? end : "/";
    snprintf(target->port, sizeof target->port, "80");
    if (sscanf(target->authority, "[%255[^]]]:%7[0-9]", target->host, target->port) >= 1) return true;
    return sscanf(target->authority, "%255[^:]:%7[0-9]", target->host, target->port) >= 1;
}

/* Waits until the descriptor is ready or the deadline has passed. */
static bool wait_ready(int fd, short events, uint64_t deadline_ns)
{
    uint64_t now_ns = sq_clock_monotonic_ns();
    struct pollfd wanted = {.fd = fd, .events = events};
    return now_ns < deadline_ns && poll(&wanted, 1, (int)((deadline_ns - now_ns) / 1000000) + 1) == 1;
}

static int connect_to(const struct target *target, uint64_t deadline_ns)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *infos;
    if (getaddrinfo(target->host, target->port, &hints, &infos) != 0) return -1;
    int fd = -1;
    for (const struct addrinfo *info = infos; info && fd < 0; info = info->ai_next) {
        fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
        int reason = 0;
        socklen_t bytes = sizeof reason;
        if (fd >= 0 && (connect(fd, info->ai_addr, info->ai_addrlen) == 0 ||
                        (errno == EINPROGRESS && wait_ready(fd, POLLOUT, deadline_ns) &&
                         getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &bytes) == 0 && reason == 0)))
            break;
        if (fd >= 0) close(fd);
        fd = -1;
    }
    freeaddrinfo(infos);
    return fd;
}

static bool write_request(struct sq_buf *request, const struct target *target, const struct sq_http_ask *ask)
{
    sq_buf_printf(request, "%s %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n", ask->method ? ask->method : "GET", target->path, target->authority);
    if (ask->token) sq_buf_printf(request, "Authorization: Bearer %s\r\n", ask->token);
    if (ask->method) sq_buf_printf(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", ask->json.bytes);
    sq_buf_append_text(request, "\r\n");
    sq_buf_append_str(request, ask->json);
    return !sq_buf_failed(request) && request->bytes <= REQUEST_BYTES_MAX;
}

/* Sends the request, which always fits the socket's buffer, and reads until the server closes. */
static bool exchange(int fd, const struct sq_buf *request, uint64_t deadline_ns, struct sq_buf *answer)
{
    if (send(fd, request->data, request->bytes, MSG_NOSIGNAL) != (ssize_t)request->bytes) return false;
    while (answer->bytes < ANSWER_BYTES_MAX && wait_ready(fd, POLLIN, deadline_ns)) {
        char chunk[16384];
        ssize_t count = recv(fd, chunk, sizeof chunk, 0);
        if (count == 0) return true;
        if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (count > 0) sq_buf_append(answer, chunk, (size_t)count);
    }
    return false;
}

/* The exchange as a whole, over a connection of its own; the answer with its headers. */
static bool talk(const struct target *target, const struct sq_http_ask *ask, struct sq_buf *answer, bool *is_there)
{
    uint64_t deadline_ns = sq_clock_monotonic_ns() + (uint64_t)ask->timeout_ms * 1000000;
    struct sq_buf request;
    sq_buf_init(&request);
    int fd = connect_to(target, deadline_ns);
    *is_there = fd >= 0;
    bool is_answered = *is_there && write_request(&request, target, ask) && exchange(fd, &request, deadline_ns, answer) && !sq_buf_failed(answer);
    if (fd >= 0) close(fd);
    sq_buf_deinit(&request);
    return is_answered;
}

int sq_http_client_ask(const struct sq_http_ask *ask, unsigned *status, struct sq_buf *body, struct sq_err *err)
{
    struct target target;
    struct sq_buf answer;
    bool is_there;
    if (!parse_url(ask->url, &target)) return sq_err_set(err, SQ_E_USAGE, "'%s' is not http://HOST:PORT/PATH", ask->url);
    sq_buf_init(&answer);
    bool is_answered = talk(&target, ask, &answer, &is_there);
    const char *end = is_answered && answer.data ? strstr(answer.data, "\r\n\r\n") : NULL;
    bool is_understood = end && sscanf(answer.data, "HTTP/1.%*1[01] %3u", status) == 1;
    if (is_understood) sq_buf_append(body, end + 4, answer.bytes - (size_t)(end + 4 - answer.data));
    sq_buf_deinit(&answer);
    if (!is_there) return sq_err_set(err, SQ_E_IO, "nothing answers at %s", ask->url);
    return is_understood ? 0 : sq_err_set(err, SQ_E_IO, "no answer from %s within %u ms", ask->url, ask->timeout_ms);
}

int sq_http_client_get(const char *url, unsigned timeout_ms, unsigned *status, struct sq_buf *body, struct sq_err *err)
{
    const struct sq_http_ask ask = {.url = url, .timeout_ms = timeout_ms};
    return sq_http_client_ask(&ask, status, body, err);
}

unsigned sq_http_client_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    bool known = fd >= 0 && bind(fd, (struct sockaddr *)&address, bytes) == 0 && getsockname(fd, (struct sockaddr *)&address, &bytes) == 0;
    if (fd >= 0) close(fd);
    return known ? ntohs(address.sin_port) : 0;
}
