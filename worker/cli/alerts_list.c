/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/alerts_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/cli/alert_text.h"
#include "worker/core/glob.h"
#include "worker/io/kafka_probe.h"
#include "worker/io/kafka_reader.h"
#include "worker/io/notify_request.h"

/* An alert that is open as far as was read. */
struct open_alert {
    char fingerprint[24];
    struct sq_buf line; /* owned */
};

struct listing {
    const struct sq_alerts_list *list;
    struct open_alert *open; /* owned; by the time of their latest transition */
    size_t open_count;
    struct sq_buf line;
    unsigned told, unreadable;
    int status;
    struct sq_err *err;
};

static bool is_wanted(const struct sq_alerts_list *list, const struct sq_notify_alert *alert)
{
    if (list->state && strcmp(list->state, alert->state) != 0) return false;
    if (list->rule && !sq_glob_matches(list->rule, sq_str_view(alert->rule))) return false;
    return !list->entity || sq_glob_matches(list->entity, sq_str_view(alert->entity));
}

static void print(struct listing *listing, const struct sq_buf *line)
{
    listing->told++;
    if (sq_buf_failed(line)) listing->status = sq_err_set(listing->err, SQ_E_NOMEM, "no memory for a line");
    else if (fwrite(line->data, 1, line->bytes, stdout) != line->bytes || (listing->list->follows && fflush(stdout)))
        listing->status = sq_err_set(listing->err, SQ_E_IO, "can't write to stdout");
}

static void close_alert(struct listing *listing, const char *fingerprint)
{
    for (size_t i = 0; i < listing->open_count; i++) {
        if (strcmp(listing->open[i].fingerprint, fingerprint) != 0) continue;
        sq_buf_deinit(&listing->open[i].line);
        memmove(&listing->open[i], &listing->open[i + 1], (--listing->open_count - i) * sizeof *listing->open);
        return;
    }
}

/* Takes over the line. */
static void keep_open(struct listing *listing, const char *fingerprint)
{
    struct open_alert *open = realloc(listing->open, (listing->open_count + 1) * sizeof *open);
    if (!open) {
        listing->status = sq_err_set(listing->err, SQ_E_NOMEM, "no memory for the open alerts");
        return;
    }
    listing->open = open;
    struct open_alert *alert = &open[listing->open_count++];
    snprintf(alert->fingerprint, sizeof alert->fingerprint, "%s", fingerprint);
    alert->line = listing->line;
    sq_buf_init(&listing->line);
}

static void take(struct listing *listing, const struct sq_notify_alert *alert, struct sq_str record)
{
    bool is_wanted_now = is_wanted(listing->list, alert);
    sq_buf_clear(&listing->line);
    if (listing->list->json) sq_buf_append_str(&listing->line, record);
    else sq_alert_text_write_line(&listing->line, alert);
    sq_buf_append_char(&listing->line, '\n');
    if (!listing->list->only_open) {
        if (is_wanted_now) print(listing, &listing->line);
        return;
    }
    close_alert(listing, alert->fingerprint);
    if (is_wanted_now && !sq_notify_is_state(alert, "RESOLVED")) keep_open(listing, alert->fingerprint);
}

static bool on_record(const struct sq_reader_record *record, void *ctx)
{
    struct listing *listing = ctx;
    struct sq_notify_alert alert;
    struct sq_err err;
    if (record->value.data && sq_notify_alert_parse(&alert, record->value, &err) == 0) {
        take(listing, &alert, record->value);
        sq_notify_alert_close(&alert);
    } else {
        listing->unreadable += record->value.data != NULL;
    }
    return listing->status == 0;
}

static void finish(struct listing *listing, const char *topic)
{
    for (size_t i = 0; i < listing->open_count; i++) {
        if (listing->status == 0) print(listing, &listing->open[i].line);
        sq_buf_deinit(&listing->open[i].line);
    }
    free(listing->open);
    sq_buf_deinit(&listing->line);
    if (listing->told == 0 && listing->status == 0 && !listing->list->json) fprintf(stderr, "%s has no such alert\n", topic);
    if (listing->unreadable) fprintf(stderr, "%u record%s no alert in JSON\n", listing->unreadable, listing->unreadable == 1 ? " is" : "s are");
}

int sq_alerts_check_format(const struct sq_config *config, struct sq_err *err)
{
    if (config->output.alerts_format == SQ_ALERT_JSON) return 0;
    return sq_err_set(err, SQ_E_CONFIG, "output.alerts.format is protobuf, and this command reads JSON: any consumer with proto/alert.proto reads them");
}

int sq_alerts_list(const struct sq_config *config, const struct sq_alerts_list *list, struct sq_err *err)
{
    char topic[SQ_CONFIG_NAME_BYTES + 16];
    struct listing listing = {.list = list, .err = err};
    int status = sq_alerts_check_format(config, err);
    if (status) return status;
    sq_kafka_probe_output_name(config, SQ_TOPIC_ALERTS, topic, sizeof topic);
    sq_buf_init(&listing.line);
    const struct sq_reader_range range = {list->since, {.anchor = SQ_PLACE_END}, list->follows};
    status = sq_kafka_read_range(config, topic, &range, on_record, &listing, err);
    if (status) listing.status = status;
    finish(&listing, topic);
    return listing.status;
}
