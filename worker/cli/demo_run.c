/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_run.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/clock.h"
#include "worker/cli/demo_account.h"
#include "worker/cli/demo_cluster.h"
#include "worker/cli/demo_interrupt.h"
#include "worker/cli/demo_script.h"
#include "worker/cli/demo_told.h"
#include "worker/io/kafka_plain.h"
#include "worker/io/model_path.h"

enum {
    FEED_SECONDS = 45,
    STUCK_SECONDS = 40,   /* without any progress after the feed the demo gives up; a killed worker's partitions are silent for 6 */
    SETTLE_SECONDS = 4,   /* after the last outcome, for an alert nobody expects */
    PROGRESS_SECONDS = 5,
    READ_AT_ONCE = 2000,
};

struct demo {
    const struct sq_demo_options *options;
    struct sq_demo_cluster cluster;
    struct sq_demo_texts texts;
    struct sq_demo_script script;
    struct sq_account account;
    struct sq_demo_teller teller;
    struct sq_plain_producer *producer;
    struct sq_plain_reader *reader;
    struct sq_buf value; /* scratch */
    uint64_t fed_ns, moved_ns; /* fed: all was sent; moved: the last outcome came */
    unsigned next_post, unsent; /* unsent: the broker refused them for good */
    bool has_killed;
};

static uint64_t seconds_since(uint64_t then_ns) { return (sq_clock_monotonic_ns() - then_ns) / 1000000000u; }

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
    uint64_t elapsed_ms = (sq_clock_monotonic_ns() - demo->teller.started_ns) / 1000000;
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

static const char *const outputs[] = {"demo.scores", "demo.dlq", "demo.alerts"};

static void on_output(const struct sq_plain_record *record, void *ctx)
{
    struct demo *demo = ctx;
    if (record->topic == 0) sq_account_score(&demo->account, record->value);
    if (record->topic == 1) sq_account_dead_letter(&demo->account, record->key);
    demo->moved_ns = sq_clock_monotonic_ns();
    const struct sq_account_alert *alert = record->topic == 2 ? sq_account_alert(&demo->account, record->value) : NULL;
    if (alert) sq_demo_tell_alert(&demo->teller, alert);
}

static void kill_one(struct demo *demo)
{
    demo->has_killed = true;
    sq_demo_tell_kill(&demo->teller, sq_demo_cluster_kill_one(&demo->cluster));
}

static bool has_resolved(const struct sq_account *account)
{
    const struct sq_account_alert *alert = sq_account_alert_of(account, sq_demo_entity);
    return alert && alert->has_fired && sq_account_is_resolved(alert);
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
        if (seconds_since(demo->teller.progress_ns) >= PROGRESS_SECONDS) {
            sq_demo_tell_progress(&demo->teller, &demo->cluster, &demo->account);
            if (status == 0) status = sq_demo_cluster_check(&demo->cluster, err);
        }
    }
    return status;
}

/* For people to look around: the page stays, and so does the broker. */
static int idle(struct demo *demo, struct sq_err *err)
{
    int status = 0;
    sq_demo_tell_idle(&demo->teller, &demo->cluster);
    while (status == 0 && !sq_demo_interrupted()) {
        sq_plain_reader_poll(demo->reader, 200, READ_AT_ONCE, on_output, demo);
        status = sq_demo_cluster_check(&demo->cluster, err);
    }
    return status;
}

/* ---- beginning and end ---- */

static bool is_ok(const struct demo *demo)
{
    return demo->fed_ns && demo->unsent == 0 && demo->account.sent == demo->script.count && sq_account_is_even(&demo->account) &&
           demo->account.alerts_count == 1 && has_resolved(&demo->account);
}

static int prepare(struct demo *demo, struct sq_err *err)
{
    char model[SQ_MODEL_PATH_BYTES];
    int status = sq_model_path_find(demo->options->model, NULL, model, err);
    if (status == 0) status = sq_demo_texts_load(&demo->texts, err);
    if (status == 0) status = sq_demo_cluster_open(&demo->cluster, demo->options, model, err);
    if (status == 0)
        status = sq_demo_script_init(&demo->script, &demo->texts, demo->options->texts, demo->options->seed,
                                     sq_clock_wall_ms() + FEED_SECONDS * 1000, err);
    if (status == 0) status = sq_account_init(&demo->account, SQ_DEMO_INPUT_PARTITIONS, demo->script.count, err);
    if (status == 0) status = sq_plain_producer_open(&demo->producer, demo->cluster.brokers, on_delivered, demo, err);
    if (status == 0) status = sq_plain_reader_open(&demo->reader, demo->cluster.brokers, outputs, sizeof outputs / sizeof *outputs, err);
    return status;
}

static void stop(struct demo *demo, bool keeps_logs)
{
    sq_plain_producer_close(demo->producer);
    sq_plain_reader_close(demo->reader);
    sq_demo_cluster_close(&demo->cluster, keeps_logs);
    sq_account_deinit(&demo->account);
    sq_demo_script_deinit(&demo->script);
    sq_demo_texts_deinit(&demo->texts);
    sq_buf_deinit(&demo->value);
}

int sq_demo_run(const struct sq_demo_options *options)
{
    struct demo demo = {.options = options, .teller.to = options->json ? stderr : stdout};
    struct sq_err err;
    int status = prepare(&demo, &err);
    if (status == 0) {
        demo.teller.started_ns = demo.teller.progress_ns = sq_clock_monotonic_ns();
        sq_demo_tell_setting(&demo.teller, &demo.cluster, &demo.script, options->seed, FEED_SECONDS);
        status = play(&demo, &err);
    }
    bool ok = status == 0 && is_ok(&demo);
    if (status == 0 && (options->once || demo.fed_ns)) sq_demo_tell_result(&demo.teller, &demo.account, ok);
    if (status == 0 && !options->once && !sq_demo_interrupted()) status = idle(&demo, &err);
    if (options->json) sq_demo_write_json(&demo.teller, &demo.account, is_ok(&demo));
    bool interrupted = sq_demo_interrupted();
    if (status != 0 && !interrupted) fprintf(stderr, "squall demo: %s\n", err.message);
    bool failed = (status != 0 && !interrupted) || (options->once && !ok && !interrupted);
    stop(&demo, failed);
    if (interrupted) return options->once ? 1 : 0;
    return status != 0 ? sq_err_exit_code(status) : failed;
}
