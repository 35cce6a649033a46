/* SPDX-License-Identifier: Apache-2.0 */
/* POST /predict and /embed over a socket, with the tiny model whose label follows from words. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "tests/lib/folder.h"
#include "tests/lib/tiny_model.h"
#include "worker/pipeline/predict.h"

struct fixture {
    struct test_folder folder;
    struct sq_engine *engine;
    struct sq_loop *loop;
    struct sq_predict *predict;
    struct sq_http *http;
    unsigned port;
    struct sq_buf answer;
};

static void post(struct sq_http_call *call, struct sq_str body, void *ctx) { sq_predict_post(((struct fixture *)ctx)->predict, call, body); }
static const struct sq_http_route routes[] = {{"/it", NULL, SQ_HTTP_PLAIN, post}};

static void open_fixture(struct fixture *fixture, enum sq_task task, size_t texts_max)
{
    struct sq_err err;
    *fixture = (struct fixture){0};
    test_folder_init(&fixture->folder);
    test_tiny_model_write(&fixture->folder);
    const struct sq_engine_options model = {.model_path = fixture->folder.path, .task = task, .tokens_max = 16};
    if (sq_engine_open(&fixture->engine, &model, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(sq_loop_open(&fixture->loop, &err), 0);
    const struct sq_predict_options options = {.loop = fixture->loop, .engine = fixture->engine, .threads = 2, .texts_max = texts_max};
    if (sq_predict_open(&fixture->predict, &options, &err) < 0) fail_msg("%s", err.message);
    const struct sq_http_options http = {.listen = "127.0.0.1:0", .routes = routes, .routes_count = 1, .ctx = fixture};
    if (sq_http_open(&fixture->http, fixture->loop, &http, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(sscanf(sq_http_url(fixture->http), "http://127.0.0.1:%u/", &fixture->port), 1);
}

static void close_fixture(struct fixture *fixture)
{
    sq_predict_stop(fixture->predict);
    sq_http_close(fixture->http);
    sq_predict_close(fixture->predict);
    sq_loop_close(fixture->loop);
    sq_engine_close(fixture->engine);
    test_folder_deinit(&fixture->folder);
    sq_buf_deinit(&fixture->answer);
}

static int send_post(const struct fixture *fixture, const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)fixture->port)};
    struct sq_buf request = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    sq_buf_printf(&request, "POST /it HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                  strlen(body), body);
    assert_int_equal(send(fd, request.data, request.bytes, MSG_NOSIGNAL), request.bytes);
    sq_buf_deinit(&request);
    return fd;
}

/* The whole answer to a body, status line first. */
static const char *ask(struct fixture *fixture, const char *body)
{
    int fd = send_post(fixture, body);
    uint64_t deadline_ns = sq_clock_monotonic_ns() + 10000000000u;
    sq_buf_clear(&fixture->answer);
    for (;;) {
        char chunk[65536];
        ssize_t bytes = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (bytes > 0) sq_buf_append(&fixture->answer, chunk, (size_t)bytes);
        if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) break;
        if (sq_clock_monotonic_ns() > deadline_ns) fail_msg("no answer within 10 s to: %s", body);
        sq_loop_turn(fixture->loop, 5);
    }
    close(fd);
    return fixture->answer.data ? fixture->answer.data : "";
}

static void expect(struct fixture *fixture, const char *body, const char *status, const char *part)
{
    const char *text = ask(fixture, body);
    if (strncmp(text, "HTTP/1.1 ", 9) != 0 || strncmp(text + 9, status, strlen(status)) != 0 || !strstr(text, part))
        fail_msg("%s: wanted %s with '%s', got: %s", body, status, part, text);
}

static void labels_come_best_first(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, SQ_TASK_CLASSIFY, 4);
    expect(&fixture, "{\"inputs\":\"the phone is bad\"}", "200", "\r\n\r\n[{\"label\":\"negative\",\"score\":0.9");
    expect(&fixture, "{\"inputs\":[\"good\",\"bad\"]}", "200", "\r\n\r\n[[{\"label\":\"positive\",\"score\":");
    assert_non_null(strstr(fixture.answer.data, "}],[{\"label\":\"negative\","));
    assert_non_null(strstr(fixture.answer.data, "x-tokens: 6\r\n"));
    assert_non_null(strstr(fixture.answer.data, "x-queue-ms: "));
    assert_non_null(strstr(fixture.answer.data, "x-inference-ms: "));
    expect(&fixture, "{\"inputs\":[[\"good\"]]}", "200", "\r\n\r\n[[{\"label\":\"positive\"");
    expect(&fixture, "{\"inputs\":\"good\",\"raw_scores\":true}", "200", "\r\n\r\n[{\"label\":\"positive\",\"score\":");
    assert_int_equal(sq_predict_pending(fixture.predict), 0);
    close_fixture(&fixture);
}

static void what_cannot_be_answered_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *body, *status, *part;
    } rows[] = {
        {"{\"inputs\":[]}", "400", "\"error_type\":\"Empty\""},
        {"{\"inputs\":\"\"}", "400", "\"error_type\":\"Empty\""},
        {"{\"inputs\":[[\"a\",\"b\"]]}", "400", "pairs of texts"},
        {"{\"inputs\":7}", "400", "expected a text or a list"},
        {"{}", "400", "inputs: missing"},
        {"[]", "400", "expected an object"},
        {"{", "400", "\"error_type\":\"Validation\""},
        {"{\"inputs\":\"a\",\"truncate\":1}", "400", "truncate"},
        {"{\"inputs\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}", "413", "5 texts, more than 4"},
        {"{\"inputs\":\"a a a a a a a a a a a a a a a a a a\",\"truncate\":false}", "413", "more than 16 tokens"},
    };
    struct fixture fixture;
    open_fixture(&fixture, SQ_TASK_CLASSIFY, 4);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect(&fixture, rows[i].body, rows[i].status, rows[i].part);
    expect(&fixture, "{\"inputs\":\"a a a a a a a a a a a a a a a a a a\"}", "200", "x-tokens: 16\r\n");
    struct sq_predict *predict = fixture.predict;
    fixture.predict = NULL;
    expect(&fixture, "{\"inputs\":\"a\"}", "503", "\"error_type\":\"Unhealthy\"");
    fixture.predict = predict;
    close_fixture(&fixture);
}

static void vectors_have_length_one_unless_asked(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool is_one;
    } rows[] = {{"{\"inputs\":\"good phone\"}", true}, {"{\"inputs\":[\"good phone\"],\"normalize\":false}", false}};
    struct fixture fixture;
    open_fixture(&fixture, SQ_TASK_EMBED, 4);
    for (size_t i = 0; i < 2; i++) {
        struct sq_err err;
        json_t *value;
        double squares = 0;
        const char *body = strstr(ask(&fixture, rows[i].body), "\r\n\r\n") + 4;
        assert_int_equal(sq_json_parse(&value, "answer", sq_str_view(body), SQ_E_DECODE, &err), 0);
        assert_int_equal(json_array_size(value), 1);
        const json_t *vector = json_array_get(value, 0);
        assert_int_equal(json_array_size(vector), 8);
        for (size_t d = 0; d < 8; d++) squares += pow(json_number_value(json_array_get(vector, d)), 2);
        assert_int_equal(fabs(squares - 1) < 1e-6, rows[i].is_one);
        json_decref(value);
    }
    close_fixture(&fixture);
}

/* Requests in work when the worker stops: their callers hear of it, and nothing is left behind. */
static void stopping_answers_what_waits(void **state)
{
    (void)state;
    struct fixture fixture;
    open_fixture(&fixture, SQ_TASK_CLASSIFY, 4);
    int fd = send_post(&fixture, "{\"inputs\":[\"a\",\"b\"]}");
    uint64_t deadline_ns = sq_clock_monotonic_ns() + 10000000000u;
    while (sq_predict_pending(fixture.predict) == 0 && sq_clock_monotonic_ns() < deadline_ns) sq_loop_turn(fixture.loop, 1);
    close_fixture(&fixture);
    char answer[64] = {0};
    assert_true(recv(fd, answer, sizeof answer - 1, 0) > 0);
    assert_true(strncmp(answer, "HTTP/1.1 200", 12) == 0 || strncmp(answer, "HTTP/1.1 503", 12) == 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_come_best_first),
        cmocka_unit_test(what_cannot_be_answered_says_why),
        cmocka_unit_test(vectors_have_length_one_unless_asked),
        cmocka_unit_test(stopping_answers_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
