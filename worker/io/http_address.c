/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64 };

/* "HOST:PORT", "[V6]:PORT", and where the port may be absent: "HOST", "[V6]". port is "" then. */
static bool split(const char *authority, bool port_needed, char host[SQ_HTTP_HOST_BYTES], char port[8])
{
    bool bracketed = *authority == '[';
    const char *start = authority + bracketed;
    const char *end = bracketed ? strchr(start, ']') : start + strcspn(start, ":");
    if (!end || end - start >= SQ_HTTP_HOST_BYTES) return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';

    const char *rest = end + bracketed;
    port[0] = '\0';
    if (*rest == '\0') return !port_needed;
    size_t digits = strspn(rest + 1, "0123456789");
    if (*rest != ':' || digits == 0 || digits > 5 || rest[1 + digits] != '\0' || atoi(rest + 1) > 65535) return false;
    memcpy(port, rest + 1, digits + 1);
    return true;
}

static bool is_loopback(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, addr, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, addr, sizeof in6);
    return addr->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static int listen_on(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
    if (fd < 0) return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage addr;
    socklen_t bytes = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &bytes) != 0) return 0;
    char port[8];
    int status = getnameinfo((struct sockaddr *)&addr, bytes, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return status == 0 ? (unsigned)atoi(port) : 0;
}

static void write_url(struct sq_http_address *address)
{
    bool any = !address->host[0] || strcmp(address->host, "0.0.0.0") == 0 || strcmp(address->host, "::") == 0;
    const char *host = any ? "127.0.0.1" : address->host;
    bool v6 = strchr(host, ':') != NULL;
    snprintf(address->url, sizeof address->url, "http://%s%s%s:%u/", v6 ? "[" : "", host, v6 ? "]" : "", port_of(address->fd));
}

int sq_http_address_listen(struct sq_http_address *address, const char *listen, struct sq_err *err)
{
    char port[8];
    *address = (struct sq_http_address){.fd = -1};
    if (!split(listen, true, address->host, port))
        return sq_err_set(err, SQ_E_CONFIG, "http.listen: '%s' is not HOST:PORT, as in 127.0.0.1:8088", listen);

    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *infos;
    int status = getaddrinfo(address->host[0] ? address->host : NULL, port, &hints, &infos);
    if (status != 0) return sq_err_set(err, SQ_E_CONFIG, "http.listen: '%s': %s", listen, gai_strerror(status));
    address->fd = listen_on(infos);
    int reason = errno;
    address->loopback = is_loopback(infos->ai_addr);
    freeaddrinfo(infos);
    if (address->fd >= 0) {
        write_url(address);
        return 0;
    }
    if (reason == EADDRINUSE)
        return sq_err_set(err, SQ_E_IO, "http.listen: %s is in use: stop what listens there, or choose another port; a second worker on one machine needs "
                                       "an instance of its own, too", listen);
    return sq_err_set(err, SQ_E_IO, "http.listen: can't listen on %s: %s", listen, strerror(reason));
}

bool sq_http_address_allows(const struct sq_http_address *address, const char *authority)
{
    char host[SQ_HTTP_HOST_BYTES], port[8], own[SQ_HTTP_HOST_BYTES] = "";
    unsigned char binary[sizeof(struct in6_addr)];
    if (!split(authority, false, host, port) || !host[0]) return false;
    if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1) return true;
    if (strcasecmp(host, "localhost") == 0 || strcasecmp(host, address->host) == 0) return true;
    return gethostname(own, sizeof own - 1) == 0 && strcasecmp(host, own) == 0;
}
