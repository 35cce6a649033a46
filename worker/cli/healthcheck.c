/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "worker/cli/args.h"
#include "worker/io/http_client.h"

enum { TIMEOUT_MS = 3000 };

static int run(int argc, char **argv)
{
    const char *url = "http://127.0.0.1:8088";
    bool live = false;
    const struct sq_option options[] = {{.name = "url", .text = &url}, {.name = "live", .flag = &live}, {0}};
    struct sq_operands operands = {0};
    int exit_code = sq_args_parse(&sq_command_healthcheck, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;

    char target[512];
    size_t bytes = strlen(url);
    while (bytes && url[bytes - 1] == '/') bytes--;
    snprintf(target, sizeof target, "%.*s/%s", (int)bytes, url, live ? "livez" : "readyz");

    struct sq_buf body;
    struct sq_err err;
    unsigned status = 0;
    sq_buf_init(&body);
    int result = sq_http_client_get(target, TIMEOUT_MS, &status, &body, &err);
    json_t *answer = NULL;
    if (result == 0) result = sq_json_parse(&answer, target, sq_buf_view(&body), SQ_E_IO, &err);
    if (result == SQ_E_USAGE) {
        sq_args_mistake(&sq_command_healthcheck, "--url: %s", err.message);
    } else if (result != 0) {
        fprintf(stderr, "squall healthcheck: %s\n", err.message);
    } else {
        const char *state = json_string_value(json_object_get(answer, "state")), *why = json_string_value(json_object_get(answer, "why"));
        printf("%s%s%s\n", state ? state : "unknown", why && *why ? ": " : "", why ? why : "");
    }
    json_decref(answer);
    sq_buf_deinit(&body);
    if (result == SQ_E_USAGE) return 2;
    return result == 0 && status == 200 ? 0 : 1;
}

const struct sq_command sq_command_healthcheck = {
    "healthcheck", "ask a running worker whether it is ready",
    "usage: squall healthcheck [--url http://127.0.0.1:8088] [--live]\n\n"
    "Prints the worker's state and, where it waits, for what. Exit code 0 when it is ready, else 1. For images without a shell.\n\n"
    "  --url URL   of the worker's HTTP server\n"
    "  --live      ask whether it is alive, which says nothing of Kafka\n",
    run,
};
