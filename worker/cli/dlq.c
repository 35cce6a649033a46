/* SPDX-License-Identifier: Apache-2.0 */
/* squall dlq: what could not be scored, why, and sending it back once the reason is mended. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "worker/cli/args.h"
#include "worker/cli/dlq_letter.h"
#include "worker/io/config_value.h"
#include "worker/io/kafka_probe.h"
#include "worker/io/kafka_sender.h"

enum { PLACES_MAX = 256 };

struct place {
    int32_t partition;
    int64_t offset;
};

struct dlq {
    struct sq_config *config;
    char topic[SQ_CONFIG_NAME_BYTES + 16];
    const char *reason;         /* NULL: any */
    int64_t since_ms;
    unsigned limit;             /* 0: none */
    bool json, is_dry;
    struct place places[PLACES_MAX]; /* of the command line; none: all that match */
    unsigned places_count;
    bool was_given[PLACES_MAX]; /* places that were there */
    unsigned count;             /* letters that were chosen */
    unsigned refused;           /* chosen, but there is nothing to send */
    struct sq_sender *sender;   /* retry's */
    struct sq_buf line;
    int status;
    struct sq_err *err;
};

static bool is_chosen(struct dlq *dlq, const struct sq_letter *letter)
{
    if (dlq->reason && !sq_str_equal(letter->reason, sq_str_view(dlq->reason))) return false;
    for (unsigned i = 0; i < dlq->places_count; i++) {
        if (dlq->places[i].partition != letter->record->partition || dlq->places[i].offset != letter->record->offset) continue;
        dlq->was_given[i] = true;
        return true;
    }
    return dlq->places_count == 0;
}

static void print(struct dlq *dlq)
{
    if (fwrite(dlq->line.data, 1, dlq->line.bytes, stdout) != dlq->line.bytes)
        dlq->status = sq_err_set(dlq->err, SQ_E_IO, "can't write to stdout");
    sq_buf_clear(&dlq->line);
}

static bool list_letter(const struct sq_reader_record *record, void *ctx)
{
    struct dlq *dlq = ctx;
    struct sq_letter letter;
    sq_letter_read(&letter, record, dlq->config->dead_letter.header_prefix);
    if (!is_chosen(dlq, &letter)) return true;
    if (dlq->json) sq_letter_write_json(&dlq->line, &letter, false);
    else sq_letter_write_line(&dlq->line, &letter);
    print(dlq);
    dlq->count++;
    return dlq->status == 0 && (dlq->limit == 0 || dlq->count < dlq->limit);
}

static int list(struct dlq *dlq)
{
    int status = sq_kafka_read_topic(dlq->config, dlq->topic, dlq->since_ms, list_letter, dlq, dlq->err);
    if (status == 0 && !dlq->json) fprintf(stderr, "%u dead letter%s\n", dlq->count, dlq->count == 1 ? "" : "s");
    return status ? status : dlq->status;
}

static bool show_letter(const struct sq_reader_record *record, void *ctx)
{
    struct dlq *dlq = ctx;
    struct sq_letter letter;
    sq_letter_read(&letter, record, dlq->config->dead_letter.header_prefix);
    if (dlq->json) {
        sq_letter_write_json(&dlq->line, &letter, true);
    } else {
        sq_letter_write_line(&dlq->line, &letter);
        fwrite(dlq->line.data, 1, dlq->line.bytes, stderr);
        sq_buf_clear(&dlq->line);
        sq_buf_append_str(&dlq->line, record->value); /* the bytes as they are */
    }
    print(dlq);
    return true;
}

static int show(struct dlq *dlq)
{
    for (unsigned i = 0; i < dlq->places_count; i++) {
        const struct place *place = &dlq->places[i];
        int status = sq_kafka_read_record(dlq->config, dlq->topic, place->partition, place->offset, show_letter, dlq, dlq->err);
        if (status || dlq->status) return status ? status : dlq->status;
    }
    return 0;
}

/* The others are sent all the same. */
static void refuse(struct dlq *dlq, const struct sq_letter *letter)
{
    dlq->refused++;
    fprintf(stderr, "squall dlq: %" PRId32 ":%" PRId64 " can't be sent back: %.*s/%" PRId64 "/%" PRId64 " is %.*s, and its value isn't here\n",
            letter->record->partition, letter->record->offset, (int)letter->topic.bytes, letter->topic.data, letter->partition, letter->offset,
            (int)letter->reason.bytes, letter->reason.data);
}

static bool retry_letter(const struct sq_reader_record *record, void *ctx)
{
    struct dlq *dlq = ctx;
    const char *prefix = dlq->config->dead_letter.header_prefix;
    struct sq_letter letter;
    char topic[256];
    sq_letter_read(&letter, record, prefix);
    if (!is_chosen(dlq, &letter)) return true;
    if (sq_letter_lacks_value(&letter)) {
        refuse(dlq, &letter);
        return true;
    }
    if (letter.topic.bytes == 0 || letter.topic.bytes >= sizeof topic) {
        dlq->status = sq_err_set(dlq->err, SQ_E_FAILED, "%" PRId32 ":%" PRId64 " doesn't tell where it came from: was dead_letter.header_prefix another?",
                                 record->partition, record->offset);
        return false;
    }
    snprintf(topic, sizeof topic, "%.*s", (int)letter.topic.bytes, letter.topic.data);
    struct sq_header headers[SQ_HEADERS_MAX];
    const struct sq_sender_record back = {
        .topic = topic, .partition = letter.partition < 0 ? -1 : (int32_t)letter.partition, .timestamp_ms = letter.timestamp_ms > 0 ? letter.timestamp_ms : 0,
        .key = letter.key, .value = record->value, .headers = headers, .headers_count = sq_letter_original_headers(&letter, prefix, headers),
    };
    if (!dlq->is_dry) dlq->status = sq_sender_send(dlq->sender, &back, dlq->err);
    dlq->count += dlq->status == 0;
    return dlq->status == 0 && (dlq->limit == 0 || dlq->count < dlq->limit);
}

static int missing_place(const struct dlq *dlq)
{
    for (unsigned i = 0; i < dlq->places_count; i++)
        if (!dlq->was_given[i])
            return sq_err_set(dlq->err, SQ_E_FAILED, "%s has no record at %" PRId32 ":%" PRId64, dlq->topic, dlq->places[i].partition, dlq->places[i].offset);
    return 0;
}

static int retry(struct dlq *dlq)
{
    int status = dlq->is_dry ? 0 : sq_sender_open(&dlq->sender, dlq->config, dlq->err);
    if (status == 0) status = sq_kafka_read_topic(dlq->config, dlq->topic, dlq->since_ms, retry_letter, dlq, dlq->err);
    if (status == 0) status = dlq->status;
    if (dlq->sender && status == 0) status = sq_sender_finish(dlq->sender, dlq->err);
    sq_sender_close(dlq->sender);
    if (status == 0) status = missing_place(dlq);
    if (status) return status;
    if (dlq->json) printf("{\"sent\":%u,\"refused\":%u,\"dry_run\":%s}\n", dlq->count, dlq->refused, dlq->is_dry ? "true" : "false");
    else printf("%u %s\n", dlq->count, dlq->is_dry ? "would be sent back" : "sent back");
    return dlq->refused ? sq_err_set(dlq->err, SQ_E_FAILED, "%u can't be sent back", dlq->refused) : 0;
}

static const struct {
    const char *name;
    int (*run)(struct dlq *dlq);
    bool takes_places, needs_places;
} actions[] = {{"list", list, false, false}, {"show", show, true, true}, {"retry", retry, true, false}};
enum { ACTIONS_COUNT = sizeof actions / sizeof *actions };

/* PARTITION:OFFSET, as list prints it. */
static bool read_place(struct place *place, const char *text)
{
    struct sq_str rest = sq_str_view(text);
    int64_t partition;
    if (!sq_config_take_number(&rest, &partition) || partition > INT32_MAX || rest.bytes < 2 || rest.data[0] != ':') return false;
    rest = (struct sq_str){rest.data + 1, rest.bytes - 1};
    place->partition = (int32_t)partition;
    return sq_config_take_number(&rest, &place->offset) && rest.bytes == 0;
}

static int read_places(struct dlq *dlq, const struct sq_operands *operands)
{
    for (unsigned i = 1; i < operands->count; i++)
        if (!read_place(&dlq->places[dlq->places_count++], operands->items[i]))
            return sq_args_mistake(&sq_command_dlq, "expected PARTITION:OFFSET as in 0:17, found '%s'", operands->items[i]);
    return SQ_ARGS_GO_ON;
}

static int go(struct dlq *dlq, const struct sq_config_sources *sources, int (*action)(struct dlq *dlq))
{
    struct sq_err err;
    dlq->err = &err;
    int status = sq_config_load(&dlq->config, sources, &err);
    sq_buf_init(&dlq->line);
    if (status == 0) {
        sq_kafka_probe_output_name(dlq->config, SQ_TOPIC_DLQ, dlq->topic, sizeof dlq->topic);
        status = action(dlq);
    }
    if (status == 0 && fflush(stdout)) status = sq_err_set(&err, SQ_E_IO, "can't write to stdout");
    if (status) fprintf(stderr, "squall dlq: %s\n", err.message);
    sq_buf_deinit(&dlq->line);
    sq_config_close(dlq->config);
    return status ? sq_err_exit_code(status) : 0;
}

static int run(int argc, char **argv)
{
    static struct dlq dlq; /* too large for some stacks */
    const char *path = NULL, *since = NULL;
    bool all = false;
    struct sq_option_list sets = {0};
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &path}, {.name = "set", .letter = 's', .list = &sets}, {.name = "reason", .text = &dlq.reason},
        {.name = "since", .text = &since}, {.name = "limit", .number = &dlq.limit, .min = 1, .max = UINT32_MAX}, {.name = "all", .flag = &all},
        {.name = "dry-run", .flag = &dlq.is_dry}, {.name = "json", .flag = &dlq.json}, {0},
    };
    struct sq_operands operands = {.max = PLACES_MAX};
    int exit_code = sq_args_parse(&sq_command_dlq, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    const char *what = operands.count ? operands.items[0] : "";
    int action = 0;
    while (action < ACTIONS_COUNT && strcmp(actions[action].name, what) != 0) action++;
    if (action == ACTIONS_COUNT) return sq_args_mistake(&sq_command_dlq, "expected list, show or retry");
    if (operands.count > 1 && !actions[action].takes_places) return sq_args_mistake(&sq_command_dlq, "list takes no PARTITION:OFFSET");
    exit_code = read_places(&dlq, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (actions[action].needs_places && dlq.places_count == 0) return sq_args_mistake(&sq_command_dlq, "which one? squall dlq list shows them");
    if (strcmp(what, "retry") == 0 && dlq.places_count == 0 && !all && !dlq.reason)
        return sq_args_mistake(&sq_command_dlq, "which ones? PARTITION:OFFSET, --reason, or --all");
    if (since && !sq_config_duration_parse(sq_str_view(since), &dlq.since_ms))
        return sq_args_mistake(&sq_command_dlq, "--since: expected a duration as in 2h or 7d, found '%s'", since);
    if (since) dlq.since_ms = sq_clock_wall_ms() - dlq.since_ms;
    const struct sq_config_sources sources = {.path = path, .sets = sets.items, .sets_count = sets.count};
    return go(&dlq, &sources, actions[action].run);
}

const struct sq_command sq_command_dlq = {
    "dlq", "records that could not be scored: list, show, retry",
    "usage: squall dlq list  [-c FILE] [--reason WORD] [--since 2h] [--limit N] [--json]\n"
    "       squall dlq show  [-c FILE] PARTITION:OFFSET... [--json]\n"
    "       squall dlq retry [-c FILE] (PARTITION:OFFSET... | --reason WORD | --all) [--since 2h] [--limit N] [--dry-run] [--json]\n"
    "\n"
    "list   a line a dead letter: PARTITION:OFFSET in <app>.dlq, time, reason, where the record was, and the message\n"
    "show   the record's value on stdout as it was, what is known of it on stderr; --json: both in one object\n"
    "retry  sends the records back to the topics they came from, with their key, headers and timestamp. Nothing is taken out of <app>.dlq:\n"
    "       what is sent back twice is scored twice. A record that fails again is a new dead letter with one attempt more.\n"
    "       A letter without its record's value, as all that are unreadable, is refused, and told.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone\n"
    "  -s, --set PATH=VALUE   sets one key; repeatable\n"
    "      --reason WORD      only those with this reason, as in missing_field\n"
    "      --since DURATION   only those from then on, by the record's time\n"
    "      --limit N          no more than so many\n"
    "      --all              retry all\n"
    "      --dry-run          say how many it would be\n"
    "\n"
    "Exit codes: 0; 1 one is not there or could not be sent; 69 no answer from the broker; 78 wrong configuration.\n",
    run};
