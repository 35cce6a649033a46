/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_told.h"

#include <stdarg.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/utf8.h"

enum { EXAMPLE_CHARS = 60 };

/* 13098 as "13 098". */
static const char *grouped(uint64_t number, char out[32])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number), to = 0;
    for (int i = 0; i < count; i++) {
        if (i && (count - i) % 3 == 0) out[to++] = ' ';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

static void say(const struct sq_demo_teller *teller, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct sq_demo_teller *teller, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(teller->to, format, args);
    va_end(args);
    fflush(teller->to);
}

uint64_t sq_demo_tell_seconds(const struct sq_demo_teller *teller)
{
    return teller->started_ns ? (sq_clock_monotonic_ns() - teller->started_ns) / 1000000000u : 0;
}

static void say_clock(const struct sq_demo_teller *teller)
{
    uint64_t seconds = sq_demo_tell_seconds(teller);
    say(teller, "  %02u:%02u  ", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

/* ---- while it runs ---- */

void sq_demo_tell_setting(const struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster, const struct sq_demo_script *script,
                          unsigned seed, unsigned feed_seconds)
{
    unsigned http_status;
    char count[32];
    json_t *info = sq_demo_cluster_ask(cluster, 0, "/info", &http_status);
    const json_t *model = json_object_get(info, "model"), *labels = json_object_get(model, "labels");
    const char *name = json_string_value(json_object_get(model, "name"));
    say(teller, "squall %s demo: all on this machine, nothing is sent anywhere\n", SQUALL_VERSION);
    say(teller, "  broker  embedded, own process, %s (kcat -b %s -t demo.alerts -C)\n", cluster->brokers, cluster->brokers);
    say(teller, "  model   %s: %lld layers, %lld wide; ", name ? name : "?", (long long)json_integer_value(json_object_get(model, "layers")),
        (long long)json_integer_value(json_object_get(model, "hidden")));
    for (size_t i = 0; i < json_array_size(labels); i++) say(teller, "%s%s", i ? "/" : "", json_string_value(json_array_get(labels, i)));
    say(teller, "; %u worker%s\n", cluster->workers_count, cluster->workers_count == 1 ? "" : "s");
    say(teller, "  input   %s human-rated snippets (tweets, product reviews, news editorials; MIT), seed %u\n",
        grouped(script->texts_count, count), seed);
    say(teller, "          real texts; 8 entities and the timing are made up; 18 h in %u s\n", feed_seconds);
    say(teller, "  web     http://127.0.0.1:%u/\n", cluster->ports[0]);
    json_decref(info);
}

void sq_demo_tell_alert(const struct sq_demo_teller *teller, const struct sq_account_alert *alert)
{
    say_clock(teller);
    if (sq_account_is_resolved(alert)) {
        long long minutes = (alert->at_ms - alert->starts_ms) / 60000;
        say(teller, "%-9s %s  %s  after %lld h %lld min of event time\n", alert->state, alert->rule, alert->entity, minutes / 60, minutes % 60);
        return;
    }
    struct sq_str example = sq_utf8_prefix((struct sq_str){alert->example, sq_utf8_valid_bytes(sq_str_view(alert->example))}, EXAMPLE_CHARS);
    say(teller, "%-9s %s  %s  %u of %u negative (usual %.0f%%), %s", alert->state, alert->rule, alert->entity, alert->matched, alert->count,
        100 * alert->usual, alert->severity);
    if (example.bytes) say(teller, "  \"%.*s%s\"", (int)example.bytes, example.data, example.bytes < strlen(alert->example) ? "..." : "");
    say(teller, "\n");
}

void sq_demo_tell_progress(struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster, const struct sq_account *account)
{
    unsigned http_status;
    char scored[32];
    json_t *status = sq_demo_cluster_ask(cluster, 0, "/api/v1/status", &http_status);
    double p99 = json_number_value(json_object_get(json_object_get(status, "latency_seconds"), "p99"));
    uint64_t elapsed_ns = sq_clock_monotonic_ns() - teller->progress_ns, finished = account->scored + account->dead;
    double rate = elapsed_ns ? (double)(account->scored - teller->progress_scored) * 1e9 / (double)elapsed_ns : 0;
    say_clock(teller);
    say(teller, "scored %s  %.0f/s  p99 %.0f ms  lag %llu  negative %.0f%%\n", grouped(account->scored, scored), rate, 1000 * p99,
        (unsigned long long)(account->sent > finished ? account->sent - finished : 0),
        account->scored ? 100 * (double)account->negative / (double)account->scored : 0);
    json_decref(status);
    teller->progress_ns = sq_clock_monotonic_ns();
    teller->progress_scored = account->scored;
}

void sq_demo_tell_kill(const struct sq_demo_teller *teller, const char *worker)
{
    say_clock(teller);
    say(teller, "SIGKILL   %s; the others take over its partitions within %d s\n", worker, SQ_DEMO_SESSION_SECONDS);
}

void sq_demo_tell_idle(const struct sq_demo_teller *teller, const struct sq_demo_cluster *cluster)
{
    say(teller, "  The feed is over; the page stays at http://127.0.0.1:%u/ until Ctrl-C. Next: squall init > squall.yaml\n", cluster->ports[0]);
}

/* ---- the result ---- */

void sq_demo_tell_result(const struct sq_demo_teller *teller, const struct sq_account *account, bool is_ok)
{
    const struct sq_account_alert *wanted = sq_account_alert_of(account, sq_demo_entity);
    char in[32];
    say(teller, "  %s in, %llu lost, %llu twice (at_least_once), %llu dead letters, %u alert%s\n", grouped(account->sent, in),
        (unsigned long long)sq_account_missing(account), (unsigned long long)account->duplicates, (unsigned long long)account->dead,
        account->alerts_count, account->alerts_count == 1 ? "" : "s");
    if (is_ok) return;
    if (account->strangers) say(teller, "  wrong: %llu outputs belong to no record\n", (unsigned long long)account->strangers);
    if (!wanted) say(teller, "  wrong: no alert for %s\n", sq_demo_entity);
    else if (!wanted->has_fired || !sq_account_is_resolved(wanted)) say(teller, "  wrong: the alert for %s did not resolve\n", sq_demo_entity);
    if (account->alerts_count > 1) say(teller, "  wrong: more alerts than the one that was planted\n");
}

void sq_demo_write_json(const struct sq_demo_teller *teller, const struct sq_account *account, bool is_ok)
{
    struct sq_buf out = {0};
    sq_buf_printf(&out, "{\"ok\":%s,\"in\":%llu,\"scored\":%llu,\"dead_lettered\":%llu,\"duplicates\":%llu,\"missing\":%llu,\"seconds\":%llu",
                  is_ok ? "true" : "false", (unsigned long long)account->sent, (unsigned long long)account->scored,
                  (unsigned long long)account->dead, (unsigned long long)account->duplicates,
                  (unsigned long long)sq_account_missing(account), (unsigned long long)sq_demo_tell_seconds(teller));
    sq_json_write_key(&out, "alerts");
    sq_buf_append_char(&out, '[');
    for (unsigned i = 0; i < account->alerts_count; i++) {
        const struct sq_account_alert *alert = &account->alerts[i];
        const char *const members[][2] = {{"alert_id", alert->id}, {"rule", alert->rule}, {"entity", alert->entity},
                                          {"state", alert->state}, {"severity", alert->severity}};
        sq_buf_append_text(&out, i ? ",{" : "{");
        for (size_t m = 0; m < sizeof members / sizeof *members; m++) {
            sq_json_write_key(&out, members[m][0]);
            sq_json_write_str(&out, sq_str_view(members[m][1]));
        }
        sq_buf_printf(&out, ",\"fired\":%s}", alert->has_fired ? "true" : "false");
    }
    sq_buf_append_text(&out, "]}");
    puts(sq_buf_failed(&out) ? "{\"ok\":false}" : out.data);
    fflush(stdout);
    sq_buf_deinit(&out);
}
