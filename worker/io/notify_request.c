/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/notify_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- The record ---- */

int sq_notify_alert_parse(struct sq_notify_alert *alert, struct sq_str value, struct sq_err *err)
{
    *alert = (struct sq_notify_alert){0};
    int status = sq_json_parse(&alert->root, "alert", value, SQ_E_DECODE, err);
    if (status) return status;
    const struct {
        const char *key, **text;
    } texts[] = {{"state", &alert->state},       {"reason", &alert->reason},     {"fingerprint", &alert->fingerprint},
                 {"alert_id", &alert->alert_id}, {"rule", &alert->rule},         {"entity", &alert->entity},
                 {"severity", &alert->severity}, {"summary", &alert->summary},   {"app", &alert->app}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].text = json_string_value(json_object_get(alert->root, texts[i].key));
        if (*texts[i].text) continue;
        sq_notify_alert_close(alert);
        return sq_err_set(err, SQ_E_DECODE, "alert: no text at %s", texts[i].key);
    }
    alert->seq = json_integer_value(json_object_get(alert->root, "seq"));
    alert->is_silenced = json_is_true(json_object_get(alert->root, "silenced"));
    return 0;
}

void sq_notify_alert_close(struct sq_notify_alert *alert)
{
    json_decref(alert->root);
    *alert = (struct sq_notify_alert){0};
}

bool sq_notify_is_state(const struct sq_notify_alert *alert, const char *state) { return strcmp(alert->state, state) == 0; }

void sq_notify_id(const struct sq_notify_alert *alert, char out[64]) { snprintf(out, 64, "%.32s-%" PRId64, alert->alert_id, alert->seq); }

bool sq_notify_is_wanted(const struct sq_notify_alert *alert) { return !alert->is_silenced || sq_notify_is_state(alert, "RESOLVED"); }

/* ---- What is shared ---- */

static void put_text(struct sq_buf *out, const char *key, const char *text)
{
    sq_json_write_key(out, key);
    sq_json_write_str(out, sq_str_view(text));
}

/* A number of the record's stats, as text with the digits people read. */
static void put_stat(struct sq_buf *out, const struct sq_notify_alert *alert, const char *key, const char *name)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", json_number_value(json_object_get(json_object_get(alert->root, "stats"), name)));
    put_text(out, key, text);
}

static const char *example_of(const struct sq_notify_alert *alert)
{
    const char *excerpt = json_string_value(json_object_get(json_array_get(json_object_get(alert->root, "examples"), 0), "excerpt"));
    return excerpt ? excerpt : "";
}

static void put_details(struct sq_buf *out, const struct sq_notify_alert *alert)
{
    put_text(out, "alert_id", alert->alert_id);
    put_text(out, "reason", alert->reason);
    put_stat(out, alert, "count", "count");
    put_stat(out, alert, "matched", "matched");
    put_stat(out, alert, "rate", "rate");
    put_stat(out, alert, "strength", "strength");
    put_stat(out, alert, "distinct_authors", "distinct_authors");
    put_text(out, "example", example_of(alert));
}

/* ---- PagerDuty ---- */

enum { PAGERDUTY_SUMMARY_BYTES = 1024 };

static const char *action_of(const struct sq_notify_alert *alert)
{
    if (sq_notify_is_state(alert, "RESOLVED")) return "resolve";
    if (sq_notify_is_state(alert, "FIRING") || strcmp(alert->reason, "severity") == 0) return "trigger";
    return strcmp(alert->reason, "acknowledged") == 0 ? "acknowledge" : NULL;
}

bool sq_notify_pagerduty(const struct sq_notify_alert *alert, const char *routing_key, bool reopen_pages, struct sq_buf *out)
{
    const char *action = action_of(alert), *at = json_string_value(json_object_get(alert->root, "at"));
    if (!action) return false;
    bool is_quiet = strcmp(alert->reason, "reopen") == 0 && !reopen_pages;
    sq_buf_append_char(out, '{');
    put_text(out, "routing_key", routing_key);
    put_text(out, "event_action", action);
    put_text(out, "dedup_key", alert->fingerprint);
    sq_json_write_key(out, "payload");
    sq_buf_append_char(out, '{');
    sq_json_write_key(out, "summary");
    size_t bytes = strlen(alert->summary);
    while (bytes > PAGERDUTY_SUMMARY_BYTES || (bytes < strlen(alert->summary) && ((unsigned char)alert->summary[bytes] & 0xc0) == 0x80)) bytes--;
    sq_json_write_str(out, (struct sq_str){alert->summary, bytes});
    put_text(out, "source", alert->app);
    put_text(out, "severity", is_quiet ? "info" : alert->severity);
    if (at) put_text(out, "timestamp", at);
    put_text(out, "component", alert->entity);
    put_text(out, "class", alert->rule);
    sq_json_write_key(out, "custom_details");
    sq_buf_append_char(out, '{');
    put_details(out, alert);
    sq_buf_append_text(out, "}}}");
    return true;
}
