/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/utf8.h"
#include "worker/cli/demo_account.h"
#include "worker/cli/demo_child.h"
#include "worker/cli/demo_script.h"
#include "worker/io/http_address.h"
#include "worker/io/http_client.h"
#include "worker/io/kafka_plain.h"
#include "worker/io/model_path.h"

enum {
    FEED_SECONDS = 45,
    START_SECONDS = 60,   /* for a worker to be ready */
    STUCK_SECONDS = 40,   /* without any progress after the feed the demo gives up; a killed worker's partitions are silent for 6 */
    SETTLE_SECONDS = 4,   /* after the last outcome, for an alert nobody expects */
    PROGRESS_SECONDS = 5,
    STOP_MS = 15000,
    SESSION_MS = 6000,
    READ_AT_ONCE = 2000,
    EXAMPLE_CHARS = 60,
};
static const char wanted_state[] = "RESOLVED";

struct demo {
    const struct sq_demo_options *options;
    FILE *talk; /* stdout, or stderr where stdout is for the JSON */
    char folder[256]; /* logs and configurations */
    char brokers[64];
    struct sq_child broker, workers[SQ_DEMO_WORKERS_MAX];
    unsigned ports[SQ_DEMO_WORKERS_MAX];
    struct sq_demo_texts texts;
    struct sq_demo_script script;
    struct sq_account account;
    struct sq_plain_producer *producer;
    struct sq_plain_reader *reader;
    struct sq_buf value; /* scratch */
    uint64_t started_ns, fed_ns, moved_ns, told_ns; /* moved: the last outcome came */
    uint64_t told_scored;
    unsigned next_post, unsent; /* unsent: the broker refused them for good */
    bool has_killed;
};

static uint64_t seconds_since(uint64_t then_ns) { return (sq_clock_monotonic_ns() - then_ns) / 1000000000u; }

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

static void say(struct demo *demo, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct demo *demo, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(demo->talk, format, args);
    va_end(args);
    fflush(demo->talk);
}

static void say_clock(struct demo *demo)
{
    uint64_t seconds = seconds_since(demo->started_ns);
    say(demo, "  %02u:%02u  ", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
}

/* ---- starting ---- */

static int start_broker(struct demo *demo, struct sq_err *err)
{
    static const char *const args[] = {"demo", "--serve-broker", NULL};
    int status = sq_child_start(&demo->broker, "broker", demo->folder, args, true, err);
    if (status != 0) return status;
    struct pollfd wanted = {.fd = demo->broker.out_fd, .events = POLLIN};
    ssize_t bytes = poll(&wanted, 1, START_SECONDS * 1000) == 1 ? read(wanted.fd, demo->brokers, sizeof demo->brokers - 1) : -1;
    if (bytes <= 1) {
        sq_child_show_log(&demo->broker);
        return sq_err_set(err, SQ_E_FAILED, "the embedded broker did not start");
    }
    demo->brokers[bytes - 1] = '\0'; /* the line feed */
    return 0;
}

/* Event time runs 1,440 times as fast as the clock, so what is 50 ms of disorder among threads is more than a minute of it: the delays are
 * wider than anyone needs who reads posts as they are written. */
static void write_config(struct demo *demo, unsigned worker, const char *model, unsigned threads)
{
    struct sq_buf *out = &demo->value;
    sq_buf_clear(out);
    sq_buf_printf(out,
                  "app: demo\ninstance: worker-%u\ndelivery: at_least_once\nshutdown_timeout: 10s\n"
                  "kafka:\n  brokers: %s\n  consumer: {session.timeout.ms: %d, heartbeat.interval.ms: 1000}\n"
                  "input: {topics: [" SQ_DEMO_INPUT "]}\noutput: {create_topics: false, partitions: 12}\n"
                  "time: {watermark_delay: 5m, allowed_lateness: 2h}\n"
                  "http: {listen: \"127.0.0.1:%u\"}\nlog: {format: text}\nmodel:\n  threads: %u\n  path: ",
                  worker + 1, demo->brokers, SESSION_MS, demo->ports[worker], threads);
    sq_json_write_str(out, sq_str_view(model));
    sq_buf_append_char(out, '\n');
}

static int save(const struct sq_buf *text, const char *path, struct sq_err *err)
{
    FILE *file = fopen(path, "w");
    bool written = file && fwrite(text->data, 1, text->bytes, file) == text->bytes;
    if (file && fclose(file) != 0) written = false;
    return written ? 0 : sq_err_set(err, SQ_E_IO, "%s: %s", path, strerror(errno));
}

static int start_worker(struct demo *demo, unsigned worker, const char *model, unsigned threads, struct sq_err *err)
{
    char name[32], path[SQ_CHILD_PATH_BYTES];
    snprintf(name, sizeof name, "worker-%u", worker + 1);
    snprintf(path, sizeof path, "%s/%s.yaml", demo->folder, name);
    const char *args[] = {"run", "--mode", "demo", "-c", path, NULL};
    write_config(demo, worker, model, threads);
    int status = save(&demo->value, path, err);
    return status == 0 ? sq_child_start(&demo->workers[worker], name, demo->folder, args, false, err) : status;
}

static int start_workers(struct demo *demo, const char *model, struct sq_err *err)
{
    const struct sq_demo_options *options = demo->options;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = cores > (long)options->workers ? (unsigned)cores / options->workers : 1;
    int status = 0;
    for (unsigned i = 0; status == 0 && i < options->workers; i++) {
        demo->ports[i] = i == 0 && !options->once ? options->port : sq_http_client_free_port();
        status = start_worker(demo, i, model, threads, err);
    }
    return status;
}

/* Asks a worker for one path; the answer's JSON, or NULL. The caller owns it. */
static json_t *ask(const struct demo *demo, unsigned worker, const char *path, unsigned *http_status)
{
    char url[128];
    struct sq_buf body = {0};
    struct sq_err err;
    json_t *answer = NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", demo->ports[worker], path);
    if (sq_http_client_get(url, 1000, http_status, &body, &err) == 0) sq_json_parse(&answer, url, sq_buf_view(&body), SQ_E_IO, &err);
    sq_buf_deinit(&body);
    return answer;
}

static int check_children(struct demo *demo, struct sq_err *err)
{
    if (!sq_child_is_running(&demo->broker)) {
        sq_child_show_log(&demo->broker);
        return sq_err_set(err, SQ_E_FAILED, "the embedded broker ended");
    }
    for (unsigned i = 0; i < demo->options->workers; i++) {
        if (demo->workers[i].is_expected_to_end || sq_child_is_running(&demo->workers[i])) continue;
        sq_child_show_log(&demo->workers[i]);
        return sq_err_set(err, SQ_E_FAILED, "%s ended by itself", demo->workers[i].name);
    }
    return 0;
}

static void nap(unsigned ms)
{
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&pause, NULL);
}

/* Until every worker has its partitions: a feed that begins earlier would show start-up as lag. */
static int wait_ready(struct demo *demo, struct sq_err *err)
{
    uint64_t began_ns = sq_clock_monotonic_ns();
    for (unsigned ready = 0; ready < demo->options->workers;) {
        unsigned http_status = 0;
        int status = check_children(demo, err);
        if (status != 0) return status;
        if (sq_demo_interrupted()) return sq_err_set(err, SQ_E_CLOSED, "stopped");
        json_decref(ask(demo, ready, "/readyz", &http_status));
        if (http_status == 200) ready++;
        else nap(50);
        if (seconds_since(began_ns) < START_SECONDS) continue;
        sq_child_show_log(&demo->workers[ready]);
        return sq_err_set(err, SQ_E_TIMEOUT, "%s was not ready within %d s", demo->workers[ready].name, START_SECONDS);
    }
    return 0;
}

static void say_what_runs(struct demo *demo)
{
    unsigned http_status;
    char count[32];
    json_t *info = ask(demo, 0, "/info", &http_status);
    const json_t *model = json_object_get(info, "model"), *labels = json_object_get(model, "labels");
    const char *name = json_string_value(json_object_get(model, "name"));
    say(demo, "squall %s demo: all on this machine, nothing is sent anywhere\n", SQUALL_VERSION);
    say(demo, "  broker  embedded, own process, %s (kcat -b %s -t demo.alerts -C)\n", demo->brokers, demo->brokers);
    say(demo, "  model   %s: %lld layers, %lld wide; ", name ? name : "?", (long long)json_integer_value(json_object_get(model, "layers")),
        (long long)json_integer_value(json_object_get(model, "hidden")));
    for (size_t i = 0; i < json_array_size(labels); i++) say(demo, "%s%s", i ? "/" : "", json_string_value(json_array_get(labels, i)));
    say(demo, "; %u worker%s\n", demo->options->workers, demo->options->workers == 1 ? "" : "s");
    say(demo, "  input   %s human-rated snippets (tweets, product reviews, news editorials; MIT), seed %u\n",
        grouped(demo->script.texts_count, count), demo->options->seed);
    say(demo, "          real texts; 8 entities and the timing are made up; 18 h in %d s\n", FEED_SECONDS);
    say(demo, "  web     http://127.0.0.1:%u/\n", demo->ports[0]);
    json_decref(info);
}

/* ---- feeding and reading ---- */

static void on_delivered(int32_t partition, int64_t offset, const char *reason, void *ctx)
{
    struct demo *demo = ctx;
    if (offset >= 0) sq_account_sent(&demo->account, partition, offset);
    else if (demo->unsent++ == 0) fprintf(stderr, "squall demo: the broker refused a record: %s\n", reason);
}

/* Sends what is due. Posts are spread evenly over the feed, so time slows down where much is said. */
static int feed(struct demo *demo, struct sq_err *err)
{
    uint64_t elapsed_ms = (sq_clock_monotonic_ns() - demo->started_ns) / 1000000;
    uint64_t due = elapsed_ms * demo->script.count / (FEED_SECONDS * 1000) + 1;
    while (demo->next_post < demo->script.count && demo->next_post < due) {
        const struct sq_demo_post *post = &demo->script.posts[demo->next_post];
        struct sq_str value = sq_demo_post_write(post, &demo->value);
        int32_t partition = (int32_t)(demo->next_post % SQ_DEMO_INPUT_PARTITIONS);
        int status = sq_plain_producer_send(demo->producer, SQ_DEMO_INPUT, partition, sq_str_view(post->entity), value, post->ts_ms, err);
        if (status == SQ_E_FULL) break;
        if (status != 0) return status;
        demo->next_post++;
    }
    bool fed = demo->next_post == demo->script.count && sq_plain_producer_poll(demo->producer, 0) == 0;
    if (!fed) sq_plain_producer_poll(demo->producer, 5);
    else if (demo->fed_ns == 0) demo->fed_ns = sq_clock_monotonic_ns();
    return 0;
}

static void say_alert(struct demo *demo, const struct sq_account_alert *alert)
{
    say_clock(demo);
    if (strcmp(alert->state, wanted_state) == 0) {
        long long minutes = (alert->at_ms - alert->starts_ms) / 60000;
        say(demo, "%-9s %s  %s  after %lld h %lld min of event time\n", alert->state, alert->rule, alert->entity, minutes / 60, minutes % 60);
        return;
    }
    struct sq_str example = sq_utf8_prefix((struct sq_str){alert->example, sq_utf8_valid_bytes(sq_str_view(alert->example))}, EXAMPLE_CHARS);
    say(demo, "%-9s %s  %s  %u of %u negative (usual %.0f%%), %s", alert->state, alert->rule, alert->entity, alert->matched, alert->count,
        100 * alert->usual, alert->severity);
    if (example.bytes) say(demo, "  \"%.*s%s\"", (int)example.bytes, example.data, example.bytes < strlen(alert->example) ? "..." : "");
    say(demo, "\n");
}

static const char *const outputs[] = {"demo.scores", "demo.dlq", "demo.alerts"};

static void on_output(const struct sq_plain_record *record, void *ctx)
{
    struct demo *demo = ctx;
    if (record->topic == 0) sq_account_score(&demo->account, record->value);
    if (record->topic == 1) sq_account_dead_letter(&demo->account, record->key);
    demo->moved_ns = sq_clock_monotonic_ns();
    const struct sq_account_alert *alert = record->topic == 2 ? sq_account_alert(&demo->account, record->value) : NULL;
    if (alert) say_alert(demo, alert);
}

static void say_progress(struct demo *demo)
{
    const struct sq_account *account = &demo->account;
    unsigned http_status;
    char scored[32];
    json_t *status = ask(demo, 0, "/api/v1/status", &http_status);
    double p99 = json_number_value(json_object_get(json_object_get(status, "latency_seconds"), "p99"));
    uint64_t elapsed_ns = sq_clock_monotonic_ns() - demo->told_ns;
    double rate = elapsed_ns ? (double)(account->scored - demo->told_scored) * 1e9 / (double)elapsed_ns : 0;
    say_clock(demo);
    say(demo, "scored %s  %.0f/s  p99 %.0f ms  lag %llu  negative %.0f%%\n", grouped(account->scored, scored), rate, 1000 * p99,
        (unsigned long long)(account->sent > account->scored + account->dead ? account->sent - account->scored - account->dead : 0),
        account->scored ? 100 * (double)account->negative / (double)account->scored : 0);
    json_decref(status);
    demo->told_ns = sq_clock_monotonic_ns();
    demo->told_scored = account->scored;
}

/* The last one: the first serves the page. */
static void kill_one(struct demo *demo)
{
    struct sq_child *victim = &demo->workers[demo->options->workers - 1];
    demo->has_killed = true;
    victim->is_expected_to_end = true;
    if (sq_child_is_running(victim)) kill(victim->pid, SIGKILL);
    say_clock(demo);
    say(demo, "SIGKILL   %s; the others take over its partitions within %d s\n", victim->name, SESSION_MS / 1000);
}

static const struct sq_account_alert *wanted_alert(const struct sq_account *account)
{
    for (unsigned i = 0; i < account->alerts_count; i++)
        if (strcmp(account->alerts[i].entity, sq_demo_entity) == 0) return &account->alerts[i];
    return NULL;
}

static bool has_resolved(const struct sq_account *account)
{
    const struct sq_account_alert *alert = wanted_alert(account);
    return alert && alert->has_fired && strcmp(alert->state, wanted_state) == 0;
}

/* Everything has come out and had its time to show consequences; or nothing moves any more. */
static bool is_over(const struct demo *demo)
{
    if (demo->fed_ns == 0) return false;
    uint64_t still_seconds = seconds_since(demo->moved_ns > demo->fed_ns ? demo->moved_ns : demo->fed_ns);
    if (still_seconds >= STUCK_SECONDS) return true;
    return still_seconds >= SETTLE_SECONDS && sq_account_is_even(&demo->account) && has_resolved(&demo->account);
}

static int play(struct demo *demo, struct sq_err *err)
{
    int status = 0;
    while (status == 0 && !sq_demo_interrupted() && !is_over(demo)) {
        status = feed(demo, err);
        sq_plain_reader_poll(demo->reader, 10, READ_AT_ONCE, on_output, demo);
        if (demo->options->kills_one && !demo->has_killed && demo->next_post >= demo->script.count * 2 / 5) kill_one(demo);
        if (seconds_since(demo->told_ns) >= PROGRESS_SECONDS) {
            say_progress(demo);
            if (status == 0) status = check_children(demo, err);
        }
    }
    return status;
}

/* ---- the end ---- */

static bool is_ok(const struct demo *demo)
{
    return demo->fed_ns && demo->unsent == 0 && demo->account.sent == demo->script.count && sq_account_is_even(&demo->account) &&
           demo->account.alerts_count == 1 && has_resolved(&demo->account);
}

static void say_result(struct demo *demo)
{
    const struct sq_account *account = &demo->account;
    char in[32];
    say(demo, "  %s in, %llu lost, %llu twice (at_least_once), %llu dead letters, %u alert%s\n", grouped(account->sent, in),
        (unsigned long long)sq_account_missing(account), (unsigned long long)account->duplicates, (unsigned long long)account->dead,
        account->alerts_count, account->alerts_count == 1 ? "" : "s");
    if (is_ok(demo)) return;
    if (account->strangers) say(demo, "  wrong: %llu outputs belong to no record\n", (unsigned long long)account->strangers);
    if (!wanted_alert(account)) say(demo, "  wrong: no alert for %s\n", sq_demo_entity);
    else if (!has_resolved(account)) say(demo, "  wrong: the alert for %s did not resolve\n", sq_demo_entity);
    if (account->alerts_count > 1) say(demo, "  wrong: more alerts than the one that was planted\n");
}

static void write_json(const struct demo *demo)
{
    const struct sq_account *account = &demo->account;
    struct sq_buf out = {0};
    sq_buf_printf(&out, "{\"ok\":%s,\"in\":%llu,\"scored\":%llu,\"dead_lettered\":%llu,\"duplicates\":%llu,\"missing\":%llu,\"seconds\":%llu",
                  is_ok(demo) ? "true" : "false", (unsigned long long)account->sent, (unsigned long long)account->scored,
                  (unsigned long long)account->dead, (unsigned long long)account->duplicates,
                  (unsigned long long)sq_account_missing(account), (unsigned long long)(demo->started_ns ? seconds_since(demo->started_ns) : 0));
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

static void stop(struct demo *demo, bool keeps_logs)
{
    sq_plain_producer_close(demo->producer);
    sq_plain_reader_close(demo->reader);
    sq_children_stop(demo->workers, demo->options->workers, STOP_MS);
    sq_children_stop(&demo->broker, 1, 0);
    if (demo->broker.out_fd > 0) close(demo->broker.out_fd);
    if (keeps_logs && demo->folder[0]) fprintf(stderr, "squall demo: logs and configurations are in %s\n", demo->folder);
    for (unsigned i = 0; !keeps_logs && i < demo->options->workers; i++) {
        char path[SQ_CHILD_PATH_BYTES];
        snprintf(path, sizeof path, "%s/worker-%u.yaml", demo->folder, i + 1);
        unlink(path);
        unlink(demo->workers[i].log_path);
    }
    if (!keeps_logs) {
        unlink(demo->broker.log_path);
        rmdir(demo->folder);
    }
    sq_account_deinit(&demo->account);
    sq_demo_script_deinit(&demo->script);
    sq_demo_texts_deinit(&demo->texts);
    sq_buf_deinit(&demo->value);
}

/* Told before anything starts, instead of by a worker's log. */
static int check_port(unsigned port, struct sq_err *err)
{
    char listen[32];
    struct sq_http_address address;
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    int status = sq_http_address_listen(&address, listen, err);
    if (status == 0) close(address.fd);
    else sq_err_set(err, status, "the page's port %u is in use: stop what listens there, or choose another with --port", port);
    return status;
}

static int prepare(struct demo *demo, struct sq_err *err)
{
    const char *base = getenv("TMPDIR");
    char model[SQ_MODEL_PATH_BYTES];
    int status = demo->options->once ? 0 : check_port(demo->options->port, err);
    if (status == 0) status = sq_model_path_find(demo->options->model, NULL, model, err);
    if (status == 0) status = sq_demo_texts_load(&demo->texts, err);
    if (status != 0) return status;
    int bytes = snprintf(demo->folder, sizeof demo->folder, "%s/squall-demo-XXXXXX", base && *base ? base : "/tmp");
    if (bytes >= (int)sizeof demo->folder || !mkdtemp(demo->folder)) {
        demo->folder[0] = '\0';
        return sq_err_set(err, SQ_E_IO, "no folder for the demo's logs below %s: %s", base ? base : "/tmp", strerror(errno));
    }
    status = start_broker(demo, err);
    if (status == 0) status = start_workers(demo, model, err);
    if (status == 0) status = wait_ready(demo, err);
    if (status == 0)
        status = sq_demo_script_init(&demo->script, &demo->texts, demo->options->texts, demo->options->seed,
                                     sq_clock_wall_ms() + FEED_SECONDS * 1000, err);
    if (status == 0) status = sq_account_init(&demo->account, SQ_DEMO_INPUT_PARTITIONS, demo->script.count, err);
    if (status == 0) status = sq_plain_producer_open(&demo->producer, demo->brokers, on_delivered, demo, err);
    if (status == 0) status = sq_plain_reader_open(&demo->reader, demo->brokers, outputs, sizeof outputs / sizeof *outputs, err);
    return status;
}

/* For people to look around: the page stays, and so does the broker. */
static int idle(struct demo *demo, struct sq_err *err)
{
    int status = 0;
    say(demo, "  The feed is over; the page stays at http://127.0.0.1:%u/ until Ctrl-C. Next: squall init > squall.yaml\n", demo->ports[0]);
    while (status == 0 && !sq_demo_interrupted()) {
        sq_plain_reader_poll(demo->reader, 200, READ_AT_ONCE, on_output, demo);
        status = check_children(demo, err);
    }
    return status;
}

int sq_demo_run(const struct sq_demo_options *options)
{
    struct demo demo = {.options = options, .talk = options->json ? stderr : stdout};
    struct sq_err err;
    int status = prepare(&demo, &err);
    if (status == 0) {
        demo.started_ns = demo.told_ns = sq_clock_monotonic_ns();
        say_what_runs(&demo);
        status = play(&demo, &err);
    }
    bool ok = status == 0 && is_ok(&demo);
    if (status == 0 && (options->once || demo.fed_ns)) say_result(&demo);
    if (status == 0 && !options->once && !sq_demo_interrupted()) status = idle(&demo, &err);
    if (options->json) write_json(&demo);
    bool interrupted = sq_demo_interrupted();
    if (status != 0 && !interrupted) fprintf(stderr, "squall demo: %s\n", err.message);
    bool failed = (status != 0 && !interrupted) || (options->once && !ok && !interrupted);
    stop(&demo, failed);
    if (interrupted) return options->once ? 1 : 0;
    return status != 0 ? sq_err_exit_code(status) : failed;
}
