/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_cluster.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "worker/cli/demo_interrupt.h"
#include "worker/io/http_address.h"
#include "worker/io/http_client.h"

enum {
    START_SECONDS = 60, /* for a worker to be ready */
    STOP_MS = 15000,
};

/* ---- starting ---- */

static int make_folder(struct sq_demo_cluster *cluster, struct sq_err *err)
{
    const char *base = getenv("TMPDIR");
    if (!base || !*base) base = "/tmp";
    int bytes = snprintf(cluster->folder, sizeof cluster->folder, "%s/squall-demo-XXXXXX", base);
    if (bytes < (int)sizeof cluster->folder && mkdtemp(cluster->folder)) return 0;
    cluster->folder[0] = '\0';
    return sq_err_set(err, SQ_E_IO, "no folder for the demo's logs below %s: %s", base, strerror(errno));
}

static int start_broker(struct sq_demo_cluster *cluster, struct sq_err *err)
{
    static const char *const args[] = {"demo", "--serve-broker", NULL};
    int status = sq_child_start(&cluster->broker, "broker", cluster->folder, args, true, err);
    if (status != 0) return status;
    struct pollfd wanted = {.fd = cluster->broker.out_fd, .events = POLLIN};
    ssize_t bytes = poll(&wanted, 1, START_SECONDS * 1000) == 1 ? read(wanted.fd, cluster->brokers, sizeof cluster->brokers - 1) : -1;
    if (bytes <= 1) {
        sq_child_show_log(&cluster->broker);
        return sq_err_set(err, SQ_E_FAILED, "the embedded broker did not start");
    }
    cluster->brokers[bytes - 1] = '\0'; /* the line feed */
    return 0;
}

/* Event time runs 1,440 times as fast as the clock, so what is 50 ms of disorder among threads is more than a minute of it: the delays are
 * wider than anyone needs who reads posts as they are written. */
static void write_config(const struct sq_demo_cluster *cluster, unsigned worker, const char *model, unsigned threads, struct sq_buf *out)
{
    sq_buf_printf(out,
                  "app: demo\ninstance: worker-%u\ndelivery: at_least_once\nshutdown_timeout: 10s\n"
                  "kafka:\n  brokers: %s\n  consumer: {session.timeout.ms: %d, heartbeat.interval.ms: 1000}\n"
                  "input: {topics: [" SQ_DEMO_INPUT "]}\noutput: {create_topics: false, partitions: 12}\n"
                  "time: {watermark_delay: 5m, allowed_lateness: 2h}\n"
                  "http: {listen: \"127.0.0.1:%u\"}\nlog: {format: text}\nmodel:\n  threads: %u\n  path: ",
                  worker + 1, cluster->brokers, SQ_DEMO_SESSION_SECONDS * 1000, cluster->ports[worker], threads);
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

static int start_worker(struct sq_demo_cluster *cluster, unsigned worker, const char *model, unsigned threads, struct sq_err *err)
{
    char name[32], path[SQ_CHILD_PATH_BYTES];
    struct sq_buf text;
    snprintf(name, sizeof name, "worker-%u", worker + 1);
    snprintf(path, sizeof path, "%s/%s.yaml", cluster->folder, name);
    const char *args[] = {"run", "--mode", "demo", "-c", path, NULL};
    sq_buf_init(&text);
    write_config(cluster, worker, model, threads, &text);
    int status = save(&text, path, err);
    sq_buf_deinit(&text);
    return status == 0 ? sq_child_start(&cluster->workers[worker], name, cluster->folder, args, false, err) : status;
}

static int start_workers(struct sq_demo_cluster *cluster, const struct sq_demo_options *options, const char *model, struct sq_err *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = cores > (long)options->workers ? (unsigned)cores / options->workers : 1;
    int status = 0;
    for (unsigned i = 0; status == 0 && i < options->workers; i++) {
        cluster->ports[i] = i == 0 && !options->once ? options->port : sq_http_client_free_port();
        status = start_worker(cluster, i, model, threads, err);
    }
    return status;
}

static void nap(unsigned ms)
{
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&pause, NULL);
}

static int wait_ready(struct sq_demo_cluster *cluster, struct sq_err *err)
{
    uint64_t began_ns = sq_clock_monotonic_ns();
    for (unsigned ready = 0; ready < cluster->workers_count;) {
        unsigned http_status = 0;
        int status = sq_demo_cluster_check(cluster, err);
        if (status != 0) return status;
        if (sq_demo_interrupted()) return sq_err_set(err, SQ_E_CLOSED, "stopped");
        json_decref(sq_demo_cluster_ask(cluster, ready, "/readyz", &http_status));
        if (http_status == 200) ready++;
        else nap(50);
        if (sq_clock_monotonic_ns() - began_ns < START_SECONDS * UINT64_C(1000000000)) continue;
        if (ready == cluster->workers_count) break;
        sq_child_show_log(&cluster->workers[ready]);
        return sq_err_set(err, SQ_E_TIMEOUT, "%s was not ready within %d s", cluster->workers[ready].name, START_SECONDS);
    }
    return 0;
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

int sq_demo_cluster_open(struct sq_demo_cluster *cluster, const struct sq_demo_options *options, const char *model, struct sq_err *err)
{
    *cluster = (struct sq_demo_cluster){.workers_count = options->workers};
    int status = options->once ? 0 : check_port(options->port, err);
    if (status == 0) status = make_folder(cluster, err);
    if (status == 0) status = start_broker(cluster, err);
    if (status == 0) status = start_workers(cluster, options, model, err);
    return status == 0 ? wait_ready(cluster, err) : status;
}

/* ---- while it runs ---- */

int sq_demo_cluster_check(struct sq_demo_cluster *cluster, struct sq_err *err)
{
    if (!sq_child_is_running(&cluster->broker)) {
        sq_child_show_log(&cluster->broker);
        return sq_err_set(err, SQ_E_FAILED, "the embedded broker ended");
    }
    for (unsigned i = 0; i < cluster->workers_count; i++) {
        if (cluster->workers[i].is_expected_to_end || sq_child_is_running(&cluster->workers[i])) continue;
        sq_child_show_log(&cluster->workers[i]);
        return sq_err_set(err, SQ_E_FAILED, "%s ended by itself", cluster->workers[i].name);
    }
    return 0;
}

json_t *sq_demo_cluster_ask(const struct sq_demo_cluster *cluster, unsigned worker, const char *path, unsigned *http_status)
{
    char url[128];
    struct sq_buf body = {0};
    struct sq_err err;
    json_t *answer = NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", cluster->ports[worker], path);
    if (sq_http_client_get(url, 1000, http_status, &body, &err) == 0) sq_json_parse(&answer, url, sq_buf_view(&body), SQ_E_IO, &err);
    sq_buf_deinit(&body);
    return answer;
}

const char *sq_demo_cluster_kill_one(struct sq_demo_cluster *cluster)
{
    struct sq_child *victim = &cluster->workers[cluster->workers_count - 1];
    victim->is_expected_to_end = true;
    if (sq_child_is_running(victim)) kill(victim->pid, SIGKILL);
    return victim->name;
}

/* ---- the end ---- */

static void remove_logs(const struct sq_demo_cluster *cluster)
{
    for (unsigned i = 0; i < cluster->workers_count; i++) {
        char path[SQ_CHILD_PATH_BYTES];
        snprintf(path, sizeof path, "%s/worker-%u.yaml", cluster->folder, i + 1);
        unlink(path);
        unlink(cluster->workers[i].log_path);
    }
    unlink(cluster->broker.log_path);
    rmdir(cluster->folder);
}

void sq_demo_cluster_close(struct sq_demo_cluster *cluster, bool keeps_logs)
{
    sq_children_stop(cluster->workers, cluster->workers_count, STOP_MS);
    sq_children_stop(&cluster->broker, 1, 0);
    if (cluster->broker.out_fd > 0) close(cluster->broker.out_fd);
    if (!cluster->folder[0]) return;
    if (keeps_logs) fprintf(stderr, "squall demo: logs and configurations are in %s\n", cluster->folder);
    else remove_logs(cluster);
}
