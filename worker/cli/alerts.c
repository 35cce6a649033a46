/* SPDX-License-Identifier: Apache-2.0 */
/* squall alerts: what was told, and what people have to say of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/time_text.h"
#include "worker/cli/alerts_list.h"
#include "worker/cli/alerts_people.h"
#include "worker/cli/alerts_show.h"
#include "worker/cli/args.h"
#include "worker/io/secret.h"

enum { URL_BYTES = 320 };

struct alerts {
    struct sq_config *config;
    struct sq_alerts_list list;
    struct sq_silence_wish wish;
    struct sq_workers workers;
    const char *const *ids; /* of the command line */
    unsigned ids_count;
    bool json;
    struct sq_err *err;
};

static int list(struct alerts *alerts) { return sq_alerts_list(alerts->config, &alerts->list, alerts->err); }

static int show(struct alerts *alerts)
{
    int status = 0;
    for (unsigned i = 0; i < alerts->ids_count && status == 0; i++)
        status = sq_alerts_show(alerts->config, alerts->ids[i], alerts->list.since, alerts->json, alerts->err);
    return status;
}

static int acknowledge(struct alerts *alerts)
{
    int status = 0;
    for (unsigned i = 0; i < alerts->ids_count && status == 0; i++)
        status = sq_workers_acknowledge(&alerts->workers, alerts->ids[i], alerts->wish.by, alerts->wish.comment, alerts->json, alerts->err);
    return status;
}

static int silence(struct alerts *alerts) { return sq_workers_silence(&alerts->workers, &alerts->wish, alerts->json, alerts->err); }

static int unsilence(struct alerts *alerts)
{
    int status = 0;
    for (unsigned i = 0; i < alerts->ids_count && status == 0; i++)
        status = sq_workers_unsilence(&alerts->workers, alerts->ids[i], alerts->json, alerts->err);
    return status;
}

static int silences(struct alerts *alerts) { return sq_workers_silences(&alerts->workers, alerts->json, alerts->err); }

static const struct action {
    const char *name;
    int (*run)(struct alerts *alerts);
    bool takes_ids, needs_name; /* needs_name: who says so */
    bool is_http;
} actions[] = {
    {"list", list, false, false, false},       {"show", show, true, false, false},          {"ack", acknowledge, true, true, true},
    {"silence", silence, false, true, true},   {"unsilence", unsilence, true, false, true}, {"silences", silences, false, false, true},
};
enum { ACTIONS_COUNT = sizeof actions / sizeof *actions };

/* http.listen as a URL of this machine: an address that stands for all of them is asked on the loopback. */
static void url_of(const char *listen, char url[URL_BYTES])
{
    static const char *const all[] = {":", "0.0.0.0:", "[::]:"};
    const char *rest = listen;
    for (unsigned i = 0; i < sizeof all / sizeof *all && rest == listen; i++)
        if (strncmp(listen, all[i], strlen(all[i])) == 0) rest = listen + strlen(all[i]);
    snprintf(url, URL_BYTES, rest == listen ? "http://%s" : "http://127.0.0.1:%s", rest);
}

/* Loads what says which topic, or which workers and by which token. */
static int go(struct alerts *alerts, const struct action *action, const char *path, const struct sq_option_list *sets)
{
    struct sq_err err;
    struct sq_buf token;
    char url[URL_BYTES];
    const char *own = url;
    const struct sq_config_sources sources = {.path = path, .sets = sets->items, .sets_count = sets->count, .offline = action->is_http};
    alerts->err = &err;
    sq_buf_init(&token);
    int status = sq_config_load(&alerts->config, &sources, &err);
    bool has_token = status == 0 && action->is_http && alerts->config->http.token_file[0];
    if (has_token) status = sq_secret_read(&token, "http.token_file", alerts->config->http.token_file, &err);
    if (status == 0) {
        url_of(alerts->config->http.listen, url);
        if (!alerts->workers.urls_count) alerts->workers = (struct sq_workers){.urls = &own, .urls_count = 1};
        alerts->workers.config = alerts->config;
        alerts->workers.token = has_token ? token.data : NULL;
        status = action->run(alerts);
    }
    if (status == 0 && fflush(stdout)) status = sq_err_set(&err, SQ_E_IO, "can't write to stdout");
    if (status) fprintf(stderr, "squall alerts: %s\n", err.message);
    sq_buf_deinit(&token);
    sq_config_close(alerts->config);
    return status ? sq_err_exit_code(status) : 0;
}

static const struct action *find_action(struct sq_operands *operands)
{
    if (operands->count == 0) return &actions[0];
    for (int i = 0; i < ACTIONS_COUNT; i++)
        if (strcmp(actions[i].name, operands->items[0]) == 0) return &actions[i];
    return NULL;
}

static int check(const struct alerts *alerts, const struct action *action)
{
    const struct sq_silence_wish *wish = &alerts->wish;
    if (action->takes_ids && alerts->ids_count == 0) return sq_args_mistake(&sq_command_alerts, "which one? squall alerts %s shows their ids", action->run == unsilence ? "silences" : "list");
    if (!action->takes_ids && alerts->ids_count) return sq_args_mistake(&sq_command_alerts, "%s takes no ID", action->name);
    if (action->needs_name && !wish->by) return sq_args_mistake(&sq_command_alerts, "--by: who says so?");
    if (action->run == silence && !wish->rule && !wish->entity) return sq_args_mistake(&sq_command_alerts, "silence needs --rule or --entity; '*' is any");
    if (action->run == silence && !wish->duration == !wish->until_ms) return sq_args_mistake(&sq_command_alerts, "silence needs either --for or --until");
    if (alerts->list.only_open && alerts->list.follows) return sq_args_mistake(&sq_command_alerts, "--open looks at what is there, --follow at what comes: ask for one");
    return SQ_ARGS_GO_ON;
}

static int read_times(struct alerts *alerts, const char *since, const char *until)
{
    int64_t now_ms = sq_clock_wall_ms();
    alerts->list.since = (struct sq_kafka_place){.anchor = alerts->list.follows ? SQ_PLACE_END : SQ_PLACE_START};
    if (since && !sq_kafka_place_parse(&alerts->list.since, since, now_ms))
        return sq_args_mistake(&sq_command_alerts, "--since: expected start, end, @-6h or @2026-01-31T12:00:00Z, found '%s'", since);
    struct sq_kafka_place place;
    if (!until) return SQ_ARGS_GO_ON;
    if (!sq_kafka_place_parse(&place, until, now_ms) || place.anchor != SQ_PLACE_TIME || place.value <= now_ms)
        return sq_args_mistake(&sq_command_alerts, "--until: expected a time to come, as @2026-01-31T12:00:00Z, found '%s'", until);
    alerts->wish.until_ms = place.value;
    return SQ_ARGS_GO_ON;
}

static int run(int argc, char **argv)
{
    static const char *const states[] = {"any", "firing", "updated", "resolved", NULL}, *const words[] = {NULL, "FIRING", "UPDATED", "RESOLVED"};
    struct alerts alerts = {0};
    struct sq_option_list sets = {0}, urls = {0};
    const char *path = NULL, *since = NULL, *until = NULL;
    unsigned state = 0;
    alerts.wish.by = getenv("USER");
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &path}, {.name = "set", .letter = 's', .list = &sets}, {.name = "json", .flag = &alerts.json},
        {.name = "state", .choice = &state, .choices = states}, {.name = "rule", .text = &alerts.wish.rule}, {.name = "entity", .text = &alerts.wish.entity},
        {.name = "since", .text = &since}, {.name = "open", .flag = &alerts.list.only_open}, {.name = "follow", .letter = 'f', .flag = &alerts.list.follows},
        {.name = "url", .list = &urls}, {.name = "for", .text = &alerts.wish.duration}, {.name = "until", .text = &until},
        {.name = "by", .text = &alerts.wish.by}, {.name = "comment", .text = &alerts.wish.comment}, {0},
    };
    struct sq_operands operands = {.max = SQ_OPTION_LIST_MAX};
    int exit_code = sq_args_parse(&sq_command_alerts, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    const struct action *action = find_action(&operands);
    if (!action) return sq_args_mistake(&sq_command_alerts, "expected list, show, ack, silence, unsilence or silences, found '%s'", operands.items[0]);
    alerts.ids = operands.count ? (const char *const *)operands.items + 1 : NULL;
    alerts.ids_count = operands.count ? operands.count - 1 : 0;
    alerts.workers = (struct sq_workers){.urls = urls.items, .urls_count = urls.count};
    alerts.list.json = alerts.json;
    alerts.list.state = words[state];
    alerts.list.rule = alerts.wish.rule;
    alerts.list.entity = alerts.wish.entity;
    exit_code = read_times(&alerts, since, until);
    if (exit_code == SQ_ARGS_GO_ON) exit_code = check(&alerts, action);
    return exit_code == SQ_ARGS_GO_ON ? go(&alerts, action, path, &sets) : exit_code;
}

const struct sq_command sq_command_alerts = {
    "alerts", "what was told, and why: list, follow, show, acknowledge, silence",
    "usage: squall alerts [list] [-c FILE] [--since TIME] [--state WORD] [--rule GLOB] [--entity GLOB] [--open | --follow] [--json]\n"
    "       squall alerts show ID... [-c FILE] [--since TIME] [--json]\n"
    "       squall alerts ack ID... [-c FILE] [--url URL]... [--by NAME] [--comment TEXT] [--json]\n"
    "       squall alerts silence (--rule GLOB | --entity GLOB) (--for 2h | --until TIME) [-c FILE] [--url URL]... [--by NAME] [--comment TEXT] [--json]\n"
    "       squall alerts unsilence ID... [-c FILE] [--url URL]... [--json]\n"
    "       squall alerts silences [-c FILE] [--url URL]... [--json]\n"
    "\n"
    "list       reads <app>.alerts, without a group: a line a transition, with the alert's id\n"
    "show       why an alert fired: its counts, what is usual, how sure that is, what was left out, example texts; and each of its transitions\n"
    "ack        somebody takes the alert: it is told once more as taken, and no reminders follow\n"
    "silence    alerts go on, marked as silenced, and nobody is notified of them; it ends in event time\n"
    "unsilence  ends silences before their time\n"
    "silences   those in force\n"
    "\n"
    "list and show ask the broker, for the whole app. The others ask workers over HTTP, and a worker speaks for its own partitions: name each worker with\n"
    "--url. An alert is taken by whichever owns it; where none of those named does, the workers of the group are named instead.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone. Its http.token_file is used\n"
    "  -s, --set PATH=VALUE   sets one key; repeatable\n"
    "      --since TIME       start (the default), end, @-6h, @2026-01-31T12:00:00Z, or milliseconds as @1767225600000\n"
    "      --state WORD       firing, updated or resolved\n"
    "      --rule GLOB        only this rule, `*` being any run of bytes and `?` any one\n"
    "      --entity GLOB      only this entity\n"
    "      --open             of each alert that is open its latest transition, nothing else\n"
    "  -f, --follow           what comes, without an end; with --since what was, too\n"
    "      --url URL          a worker's HTTP server; repeatable; default http.listen\n"
    "      --for DURATION     from now on, as in 30m, 2h, 7d\n"
    "      --until TIME       as in @2026-01-31T12:00:00Z\n"
    "      --by NAME          who says so; default $USER\n"
    "      --comment TEXT     why, for people\n"
    "      --json             the records as they are; results as objects, one a line\n"
    "\n"
    "Exit codes: 0; 1 no such alert or silence, or not everywhere; 69 no answer from the broker; 78 wrong configuration.\n",
    run};
