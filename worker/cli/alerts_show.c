/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/alerts_show.h"

#include <stdio.h>

#include "worker/cli/alert_text.h"
#include "worker/cli/alerts_list.h"
#include "worker/io/kafka_probe.h"
#include "worker/io/kafka_reader.h"

struct shown {
    const char *id;
    bool json;
    struct sq_buf page, lines; /* of the latest transition; one of each */
};

static bool on_record(const struct sq_reader_record *record, void *ctx)
{
    struct shown *shown = ctx;
    struct sq_notify_alert alert;
    struct sq_err err;
    if (!record->value.data || sq_notify_alert_parse(&alert, record->value, &err) != 0) return true;
    if (strcmp(alert.alert_id, shown->id) == 0) {
        sq_buf_clear(&shown->page);
        if (shown->json) sq_buf_append_str(&shown->lines, record->value);
        else {
            sq_alert_text_write(&shown->page, &alert);
            sq_buf_append_text(&shown->lines, "  ");
            sq_alert_text_write_line(&shown->lines, &alert);
        }
        sq_buf_append_char(&shown->lines, '\n');
    }
    sq_notify_alert_close(&alert);
    return true;
}

static int print(struct shown *shown, struct sq_err *err)
{
    if (!shown->json) sq_buf_append_text(&shown->page, "  transitions\n");
    if (sq_buf_failed(&shown->page) || sq_buf_failed(&shown->lines)) return sq_err_set(err, SQ_E_NOMEM, "no memory for the alert");
    struct sq_str parts[] = {sq_buf_view(&shown->page), sq_buf_view(&shown->lines)};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (fwrite(parts[i].data, 1, parts[i].bytes, stdout) != parts[i].bytes) return sq_err_set(err, SQ_E_IO, "can't write to stdout");
    return 0;
}

int sq_alerts_show(const struct sq_config *config, const char *id, struct sq_kafka_place since, bool json, struct sq_err *err)
{
    char topic[SQ_CONFIG_NAME_BYTES + 16];
    struct shown shown = {.id = id, .json = json};
    int status = sq_alerts_check_format(config, err);
    if (status) return status;
    sq_kafka_probe_output_name(config, SQ_TOPIC_ALERTS, topic, sizeof topic);
    sq_buf_init(&shown.page);
    sq_buf_init(&shown.lines);
    const struct sq_reader_range range = {since, {.anchor = SQ_PLACE_END}, false};
    status = sq_kafka_read_range(config, topic, &range, on_record, &shown, err);
    if (status == 0 && shown.lines.bytes) status = print(&shown, err);
    else if (status == 0) status = sq_err_set(err, SQ_E_FAILED, "%s has no alert %s: squall alerts list shows what it has", topic, id);
    sq_buf_deinit(&shown.page);
    sq_buf_deinit(&shown.lines);
    return status;
}
