/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/receiver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct receiver {
    const struct receiver_answer *answers;
    unsigned answers_count;
    int listener, port;
    pthread_t thread;
    atomic_uint count;
    char requests[RECEIVER_REQUESTS_MAX][RECEIVER_BYTES_MAX];
};

/* Reads until the body that Content-Length announces is whole; false: the client went away. */
static bool read_request(int socket, char *request)
{
    size_t used = 0;
    for (;;) {
        ssize_t bytes = read(socket, request + used, RECEIVER_BYTES_MAX - 1 - used);
        if (bytes <= 0) return false;
        used += (size_t)bytes;
        request[used] = '\0';
        const char *end = strstr(request, "\r\n\r\n"), *length = strcasestr(request, "content-length:");
        if (end && strlen(end + 4) >= (length ? strtoul(length + 15, NULL, 10) : 0)) return true;
    }
}

static void answer(int socket, const struct receiver_answer *answer)
{
    char text[256];
    if (answer->delay_ms) usleep((useconds_t)answer->delay_ms * 1000);
    if (answer->status == 0) return;
    int bytes = snprintf(text, sizeof text, "HTTP/1.1 %d Said\r\nContent-Length: 0\r\nConnection: close\r\n%s%s\r\n", answer->status,
                         answer->header ? answer->header : "", answer->header ? "\r\n" : "");
    if (write(socket, text, (size_t)bytes) < 0) perror("receiver");
}

static void *serve(void *ctx)
{
    struct receiver *receiver = ctx;
    for (;;) {
        int socket = accept(receiver->listener, NULL, NULL);
        if (socket < 0) return NULL; /* closed */
        unsigned index = atomic_load(&receiver->count);
        if (index < RECEIVER_REQUESTS_MAX && read_request(socket, receiver->requests[index])) {
            atomic_store(&receiver->count, index + 1);
            answer(socket, &receiver->answers[index < receiver->answers_count ? index : receiver->answers_count - 1]);
        }
        close(socket);
    }
}

struct receiver *receiver_open(const struct receiver_answer *answers, unsigned answers_count)
{
    struct receiver *receiver = calloc(1, sizeof *receiver);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof address;
    if (!receiver) abort();
    receiver->answers = answers;
    receiver->answers_count = answers_count;
    receiver->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(receiver->listener, (struct sockaddr *)&address, sizeof address) || listen(receiver->listener, 16)) abort();
    if (getsockname(receiver->listener, (struct sockaddr *)&address, &bytes)) abort();
    receiver->port = ntohs(address.sin_port);
    if (pthread_create(&receiver->thread, NULL, serve, receiver)) abort();
    return receiver;
}

void receiver_close(struct receiver *receiver)
{
    shutdown(receiver->listener, SHUT_RDWR);
    pthread_join(receiver->thread, NULL);
    close(receiver->listener);
    free(receiver);
}

int receiver_port(const struct receiver *receiver) { return receiver->port; }
unsigned receiver_count(struct receiver *receiver) { return atomic_load(&receiver->count); }
const char *receiver_request(struct receiver *receiver, unsigned index) { return receiver->requests[index]; }
