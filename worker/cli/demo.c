/* SPDX-License-Identifier: Apache-2.0 */
/* squall demo: the main job on one machine, for people to look at and for scripts to check.
 *
 * This process starts the embedded broker and the workers as processes of their own (demo_cluster.h), plays the script of demo_script.h into
 * the input topic, and reads all that comes out with a plain reader. It trusts no worker: the sum at the end is made of coordinates it read
 * itself (demo_account.h). One thread, one loop, a look at everything every few milliseconds (demo_run.c); what it says is in demo_told.c. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/cli/args.h"
#include "worker/cli/demo_interrupt.h"
#include "worker/cli/demo_run.h"
#include "worker/cli/demo_script.h"
#include "worker/io/mock_broker.h"

static const struct sq_mock_topic topics[] = {
    {SQ_DEMO_INPUT, SQ_DEMO_INPUT_PARTITIONS}, {"demo.scores", 12}, {"demo.dlq", 3}, {"demo.alerts", 12}, {"demo.alert-state", 12},
};

/* The hidden form `squall demo --serve-broker`: says where it listens, and lives until it is killed. */
static int serve_broker(void)
{
    struct sq_mock_broker *broker;
    struct sq_err err;
    if (sq_mock_broker_open(&broker, topics, sizeof topics / sizeof *topics, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return sq_err_exit_code(err.code);
    }
    printf("%s\n", sq_mock_broker_bootstrap(broker));
    fflush(stdout);
    for (;;) pause();
}

static int run(int argc, char **argv)
{
    struct sq_demo_options options = {.workers = 1, .texts = 6000, .port = 8088, .seed = 1};
    bool has_broker_role = argc == 2 && strcmp(argv[1], "--serve-broker") == 0;
    if (has_broker_role) return serve_broker();

    const struct sq_option table[] = {
        {.name = "workers", .number = &options.workers, .min = 1, .max = SQ_DEMO_WORKERS_MAX},
        {.name = "kill-one", .flag = &options.kills_one},
        {.name = "texts", .number = &options.texts, .min = SQ_DEMO_TEXTS_MIN, .max = SQ_DEMO_TEXTS_MAX},
        {.name = "seed", .number = &options.seed, .min = 0, .max = 1000000},
        {.name = "port", .number = &options.port, .min = 1, .max = 65535},
        {.name = "model", .text = &options.model},
        {.name = "once", .flag = &options.once},
        {.name = "json", .flag = &options.json},
        {0},
    };
    struct sq_operands operands = {0};
    int exit_code = sq_args_parse(&sq_command_demo, table, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (options.kills_one && options.workers < 2) return sq_args_mistake(&sq_command_demo, "--kill-one needs --workers 2 or more");

    sq_demo_interrupt_watch();
    signal(SIGPIPE, SIG_IGN);
    return sq_demo_run(&options);
}

const struct sq_command sq_command_demo = {
    "demo", "the whole of it on this machine, with a broker of its own and a web page",
    "usage: squall demo [--once] [--json] [--workers N] [--kill-one] [--texts N] [--seed N] [--port N] [--model DIR]\n"
    "\n"
    "Starts an embedded broker and workers, feeds real texts about eight made-up entities, 18 hours of event time in 45 seconds, one of which\n"
    "gets a wave of complaints, and shows what happens here and on http://127.0.0.1:8088/. Nothing leaves the machine. Ctrl-C stops it.\n"
    "\n"
    "  --once        stop after the feed, on free ports, and check: the alert of the wave fired and resolved, no other did, and every record\n"
    "                came out as a score or as a dead letter. Exit code 1 if not\n"
    "  --json        the last line on stdout is the result as JSON; everything else goes to stderr\n"
    "  --workers N   share the work among N processes (default 1)\n"
    "  --kill-one    kill a worker in mid-stream with SIGKILL; not the one that serves the page\n"
    "  --texts N     how many texts, 2000 to 12000 (default 6000)\n"
    "  --seed N      of the script (default 1)\n"
    "  --port N      of the page (default 8088)\n"
    "  --model DIR   a Hugging Face folder instead of the shipped model; its labels should be negative, neutral and positive\n",
    run,
};
