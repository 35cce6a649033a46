/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/alert_record.h"

#include <inttypes.h>
#include <stdio.h>

#include "engine/base/time_text.h"

enum { HEADERS_MAX = 10, TEXT_BYTES = 64 };

struct writer {
    struct sq_batch *batch;
    struct sq_header *headers;
    unsigned count;
    bool has_failed;
};

/* Names are literals; values are copied. */
static void add(struct writer *writer, const char *name, struct sq_str value)
{
    struct sq_header *header = &writer->headers[writer->count++];
    header->name = sq_str_view(name);
    writer->has_failed |= !sq_batch_copy(writer->batch, value, &header->value);
}

static void add_all(struct writer *writer, const struct sq_alert *alert, enum sq_alert_format format)
{
    char id[TEXT_BYTES], at[SQ_TIME_TEXT_BYTES], source[512];
    snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIu32, alert->alert_id, alert->seq);
    snprintf(source, sizeof source, "/squall/%.*s/%.*s", (int)alert->app.bytes, alert->app.data, (int)alert->rule.bytes, alert->rule.data);
    sq_time_text_format(alert->at_ms, at);
    add(writer, "ce_specversion", SQ_STR("1.0"));
    add(writer, "ce_type", SQ_STR("squall.alert.v1"));
    add(writer, "ce_source", sq_str_view(source));
    add(writer, "ce_id", sq_str_view(id));
    add(writer, "ce_subject", alert->entity);
    add(writer, "ce_time", sq_str_view(at));
    add(writer, "ce_dataschema", SQ_STR("urn:squall:squall.v1.Alert"));
    add(writer, "ce_severitytext", sq_str_view(sq_severity_word(alert->severity)));
    add(writer, "content-type", format == SQ_ALERT_JSON ? SQ_STR("application/json") : SQ_STR("application/protobuf"));
}

int sq_alert_record_fill(struct sq_batch *batch, struct sq_output *output, const struct sq_alert *alert, struct sq_str value,
                         enum sq_alert_format format, struct sq_err *err)
{
    char key[TEXT_BYTES];
    struct writer writer = {batch, sq_batch_alloc(batch, HEADERS_MAX * sizeof(struct sq_header)), 0, false};
    if (!writer.headers) return sq_err_set(err, SQ_E_NOMEM, "no memory for an alert");
    add_all(&writer, alert, format);
    snprintf(key, sizeof key, "%016" PRIx64, alert->fingerprint);
    output->topic = SQ_TOPIC_ALERTS;
    output->partition = alert->scores_partition;
    output->headers = writer.headers;
    output->headers_count = writer.count;
    writer.has_failed |= !sq_batch_copy(batch, sq_str_view(key), &output->key);
    writer.has_failed |= !sq_batch_copy(batch, value, &output->value);
    if (writer.has_failed) return sq_err_set(err, SQ_E_NOMEM, "no memory for an alert");
    sq_batch_account(batch, output);
    return 0;
}
