/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http_get.h"

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

enum { ANSWER_BYTES_MAX = 1 << 20 };

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

/* Sends the request, which always fits the socket's buffer, and reads until the server closes. */
static bool exchange(int fd, const struct target *target, uint64_t deadline_ns, struct sq_buf *answer)
{
    char request[4096];
    int bytes = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n", target->path, target->authority);
    if (bytes < 0 || (size_t)bytes >= sizeof request || send(fd, request, (size_t)bytes, MSG_NOSIGNAL) != bytes) return false;
    while (answer->bytes < ANSWER_BYTES_MAX && wait_ready(fd, POLLIN, deadline_ns)) {
        char chunk[16384];
        ssize_t count = recv(fd, chunk, sizeof chunk, 0);
        if (count == 0) return true;
        if (count < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (count > 0) sq_buf_append(answer, chunk, (size_t)count);
    }
    return false;
}

int sq_http_get(const char *url, unsigned timeout_ms, unsigned *status, struct sq_buf *body, struct sq_err *err)
{
    struct target target;
    if (!parse_url(url, &target)) return sq_err_set(err, SQ_E_USAGE, "'%s' is not http://HOST:PORT/PATH", url);
    uint64_t deadline_ns = sq_clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
    int fd = connect_to(&target, deadline_ns);
    if (fd < 0) return sq_err_set(err, SQ_E_IO, "nothing answers at %s", url);
    struct sq_buf answer;
    sq_buf_init(&answer);
    bool answered = exchange(fd, &target, deadline_ns, &answer) && !sq_buf_failed(&answer);
    close(fd);
    const char *end = answered && answer.data ? strstr(answer.data, "\r\n\r\n") : NULL;
    bool understood = end && sscanf(answer.data, "HTTP/1.%*1[01] %3u", status) == 1;
    if (understood) sq_buf_append(body, end + 4, answer.bytes - (size_t)(end + 4 - answer.data));
    sq_buf_deinit(&answer);
    return understood ? 0 : sq_err_set(err, SQ_E_IO, "no answer from %s within %u ms", url, timeout_ms);
}

unsigned sq_http_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    bool known = fd >= 0 && bind(fd, (struct sockaddr *)&address, bytes) == 0 && getsockname(fd, (struct sockaddr *)&address, &bytes) == 0;
    if (fd >= 0) close(fd);
    return known ? ntohs(address.sin_port) : 0;
}
