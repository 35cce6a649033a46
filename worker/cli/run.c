/* SPDX-License-Identifier: Apache-2.0 */
/* squall run: puts a worker together, lets it run, takes it apart. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/metrics.h"

#include "worker/cli/args.h"
#include "worker/cli/model.h"
#include "worker/io/cache_dir.h"
#include "worker/io/config.h"
#include "worker/io/kafka_txn.h"
#include "worker/io/kafka_version.h"
#include "worker/io/log.h"
#include "worker/io/notify.h"
#include "worker/io/sandbox.h"
#include "worker/io/sink_kafka.h"
#include "worker/io/sink_txn.h"
#include "worker/io/source_kafka.h"
#include "worker/io/state_reader_kafka.h"
#include "worker/pipeline/api.h"
#include "worker/pipeline/pipeline.h"

enum { EXIT_SECOND_INTERRUPT = 130 };

struct worker {
    struct sq_config *config;
    struct sq_sandbox sandbox;
    struct sq_engine *engine, *embedder, *shadow;
    struct sq_loop *loop;
    struct sq_source *sources[2]; /* by enum sq_stage_name; NULL: the role is off */
    struct sq_sink *sinks[2];
    struct sq_state_reader *state_reader; /* NULL: no state is kept */
    struct sq_pipeline *pipeline;
    struct sq_api *api;
    struct sq_notify *notify;     /* NULL: not an alert worker */
    struct sq_signal *terminate, *interrupt, *hang_up;
    struct sq_config_sources read_from; /* of the configuration, to read it again */
    struct sq_config *reloaded;       /* whose rules are in force; NULL: those of config */
    bool is_interrupted;
};

static void on_terminate(void *ctx)
{
    struct worker *worker = ctx;
    sq_log(SQ_LOG_INFO, SQ_L("stopping: finishing what was taken"));
    sq_pipeline_stop(worker->pipeline);
}

/* What is not committed is read again, so leaving at once is safe. */
static void on_interrupt(void *ctx)
{
    struct worker *worker = ctx;
    if (worker->is_interrupted) _exit(EXIT_SECOND_INTERRUPT);
    worker->is_interrupted = true;
    on_terminate(worker);
}

/* The rules of the configuration as it is now; all of them or, with a message, none. What else changed is named. */
static int reload(void *ctx, struct sq_buf *needs_a_restart, struct sq_err *err)
{
    struct worker *worker = ctx;
    struct sq_config *config = NULL;
    bool is_stdin = worker->read_from.path && strcmp(worker->read_from.path, "-") == 0;
    int status = is_stdin ? sq_err_set(err, SQ_E_CONFIG, "the configuration came from stdin and can't be read again") : sq_config_load(&config, &worker->read_from, err);
    if (status == 0) status = sq_pipeline_reload(worker->pipeline, config, err);
    sq_metric_set(SQ_M_RELOAD_SUCCESSFUL, 0, status == 0);
    if (status) {
        sq_log(SQ_LOG_ERROR, SQ_L("configuration not reloaded: the old one stays in force"), SQ_LS("why", err->message));
        sq_config_close(config);
        return status;
    }
    sq_metric_set(SQ_M_RELOAD_SUCCESS_TIME, 0, sq_clock_wall_ms() / 1000);
    sq_config_changes(worker->config, config, "rules[].", needs_a_restart);
    sq_log(SQ_LOG_INFO, SQ_L("configuration reloaded"), SQ_LI("rules", config->rules_count),
           SQ_LS("needs_a_restart", needs_a_restart->bytes ? needs_a_restart->data : ""));
    sq_config_close(worker->reloaded);
    worker->reloaded = config;
    return 0;
}

static void on_hang_up(void *ctx)
{
    struct sq_buf needs_a_restart;
    struct sq_err err;
    sq_buf_init(&needs_a_restart);
    reload(ctx, &needs_a_restart, &err);
    sq_buf_deinit(&needs_a_restart);
}

static void log_cache(const struct sq_model_info *info)
{
    sq_log(SQ_LOG_INFO, SQ_L("packed weights"), SQ_LS("model", info->name), SQ_LS("shared", info->is_shared ? "yes, a mapped file of model.cache_dir" : "no"),
           SQ_LI("bytes", (int64_t)info->weights_bytes));
    if (info->cache_trouble[0]) sq_log(SQ_LOG_WARN, SQ_L("model.cache_dir"), SQ_LS("trouble", info->cache_trouble));
}

static void log_precisions(const struct sq_engine *engine)
{
    for (unsigned i = 0; i < sq_engine_members_count(engine); i++) {
        const struct sq_model_info *info = sq_engine_info(sq_engine_member(engine, i));
        log_cache(info);
        sq_log(SQ_LOG_INFO, SQ_L("precision settled"), SQ_LS("model", info->name), SQ_LS("precision", info->precision_text),
               SQ_LR("same_labels", info->precision_agreement), SQ_LR("mean_difference", info->precision_difference));
    }
}

static int open_engine(struct worker *worker, const struct sq_option_list *models, struct sq_err *err)
{
    int status = sq_model_open_configured(&worker->engine, worker->config, models, err);
    if (status) return status;
    const struct sq_model_info *info = sq_engine_info(worker->engine);
    sq_log(SQ_LOG_INFO, SQ_L("model loaded"), SQ_LS("model", info->name), SQ_LS("architecture", info->architecture),
           SQ_LI("layers", info->layers), SQ_LI("hidden", info->hidden), SQ_LI("labels", info->labels_count), SQ_LS("kernels", info->isa),
           SQ_LS("digest", info->xxh128));
    if (info->isa_caveat) sq_log(SQ_LOG_WARN, SQ_L("kernels to be careful with"), SQ_LS("kernels", info->isa), SQ_LS("why", info->isa_caveat));
    log_precisions(worker->engine);
    return 0;
}

static int open_embedder(struct worker *worker, struct sq_err *err)
{
    int status = sq_model_open_embedder(&worker->embedder, worker->config, err);
    if (status || !worker->embedder) return status;
    const struct sq_model_info *info = sq_engine_info(worker->embedder);
    sq_log(SQ_LOG_INFO, SQ_L("model for vectors loaded"), SQ_LS("model", info->name), SQ_LS("architecture", info->architecture),
           SQ_LI("dimensions", info->outputs_count), SQ_LS("pooling", info->pooling), SQ_LS("digest", info->xxh128));
    log_cache(info);
    return 0;
}

static int open_shadow(struct worker *worker, struct sq_err *err)
{
    int status = worker->engine ? sq_model_open_shadow(&worker->shadow, worker->config, err) : 0;
    if (status || !worker->shadow) return status;
    const struct sq_model_info *info = sq_engine_info(worker->shadow);
    sq_log(SQ_LOG_INFO, SQ_L("model in shadow loaded"), SQ_LS("model", info->name), SQ_LS("architecture", info->architecture),
           SQ_LR("sample", worker->config->model.shadow_sample), SQ_LS("digest", info->xxh128));
    log_precisions(worker->shadow);
    return 0;
}

static int open_stage(struct worker *worker, enum sq_stage_name stage, struct sq_err *err)
{
    struct sq_txn_client *client = NULL;
    bool is_exact = worker->config->delivery == SQ_DELIVERY_EXACTLY_ONCE;
    int status = sq_source_kafka_open(&worker->sources[stage], worker->loop, worker->config, stage, err);
    if (status) return status;
    if (!is_exact) return sq_sink_kafka_open(&worker->sinks[stage], worker->config, stage, worker->sources[stage], err);
    status = sq_kafka_txn_open(&client, worker->config, stage, worker->sources[stage], err);
    return status ? status : sq_sink_txn_open(&worker->sinks[stage], client, err);
}

static int open_pipeline(struct worker *worker, const char *mode, struct sq_err *err)
{
    const struct sq_pipeline_options options = {
        .loop = worker->loop, .config = worker->config, .engine = worker->engine, .shadow = worker->shadow, .embedder = worker->embedder,
        .mode = mode,
        .score_source = worker->sources[SQ_STAGE_SCORE], .score_sink = worker->sinks[SQ_STAGE_SCORE],
        .alert_source = worker->sources[SQ_STAGE_ALERT], .alert_sink = worker->sinks[SQ_STAGE_ALERT],
        .state_reader = worker->state_reader,
    };
    const struct sq_api_options api = {.listen = worker->config->http.listen, .token_file = worker->config->http.token_file,
                                       .reload = reload, .reload_ctx = worker};
    int status = sq_pipeline_open(&worker->pipeline, &options, err);
    if (status == 0) status = sq_api_open(&worker->api, worker->loop, worker->pipeline, &api, err);
    return status;
}

/* Before the first thread, and before what others made is read: models are others' files too. They may write the cache's folder. */
static int enter_sandbox(struct worker *worker, struct sq_err *err)
{
    char cache_dir[SQ_CACHE_DIR_BYTES];
    struct sq_sandbox *sandbox = &worker->sandbox;
    if (!worker->config->is_sandboxed) return 0;
    sq_cache_dir_find(worker->config->model.cache_dir, cache_dir);
    int status = sq_sandbox_enter(sandbox, cache_dir, err);
    if (status) return status;
    sq_log(SQ_LOG_INFO, SQ_L("sandboxed"), SQ_LS("seccomp", sandbox->has_seccomp ? "yes" : "this kernel has none"),
           SQ_LI("landlock", sandbox->landlock_abi));
    return 0;
}

static int open_models(struct worker *worker, const struct sq_option_list *models, struct sq_err *err)
{
    int status = worker->config->roles & SQ_ROLE_SCORE ? open_engine(worker, models, err) : 0;
    if (status == 0) status = open_embedder(worker, err);
    if (status == 0) status = open_shadow(worker, err);
    return status || !worker->config->is_sandboxed ? status : sq_sandbox_close_folder(&worker->sandbox, err);
}

static int open_worker(struct worker *worker, const struct sq_option_list *models, const char *mode, struct sq_err *err)
{
    int status = sq_kafka_version_check(err);
    if (status == 0) status = enter_sandbox(worker, err);
    if (status == 0) status = open_models(worker, models, err);
    if (status == 0) status = sq_loop_open(&worker->loop, err);
    if (status == 0 && worker->config->roles & SQ_ROLE_SCORE) status = open_stage(worker, SQ_STAGE_SCORE, err);
    if (status == 0 && worker->config->roles & SQ_ROLE_ALERT) status = open_stage(worker, SQ_STAGE_ALERT, err);
    if (status == 0 && worker->sinks[SQ_STAGE_ALERT] && worker->config->delivery == SQ_DELIVERY_EXACTLY_ONCE)
        status = sq_state_reader_kafka_open(&worker->state_reader, worker->loop, worker->config, err);
    if (status == 0) status = open_pipeline(worker, mode, err);
    if (status == 0 && worker->config->roles & SQ_ROLE_ALERT) status = sq_notify_open(&worker->notify, worker->config, err);
    if (status == 0) status = sq_signal_open(&worker->terminate, worker->loop, SIGTERM, on_terminate, worker, err);
    if (status == 0) status = sq_signal_open(&worker->hang_up, worker->loop, SIGHUP, on_hang_up, worker, err);
    if (status == 0) status = sq_signal_open(&worker->interrupt, worker->loop, SIGINT, on_interrupt, worker, err);
    return status;
}

static void close_worker(struct worker *worker)
{
    sq_signal_close(worker->terminate);
    sq_signal_close(worker->interrupt);
    sq_signal_close(worker->hang_up);
    sq_api_close(worker->api);
    sq_notify_close(worker->notify);
    sq_pipeline_close(worker->pipeline);
    if (worker->state_reader) worker->state_reader->ops->close(worker->state_reader);
    for (int stage = 0; stage < 2; stage++) {
        if (worker->sinks[stage]) worker->sinks[stage]->ops->close(worker->sinks[stage]);
        if (worker->sources[stage]) worker->sources[stage]->ops->close(worker->sources[stage]);
    }
    sq_loop_close(worker->loop);
    if (worker->engine) sq_engine_close(worker->engine);
    if (worker->embedder) sq_engine_close(worker->embedder);
    if (worker->shadow) sq_engine_close(worker->shadow);
    sq_config_close(worker->reloaded);
    sq_config_close(worker->config);
}

/* What is committed stands by now. librdkafka 2.0.2 may wait for good to be rid of a client whose cluster was replaced by another. */
enum { CLOSE_SECONDS_MAX = 10 };
static volatile sig_atomic_t code_after_closing;

static void on_alarm(int number)
{
    static const char message[] = "squall run: librdkafka doesn't let go of a client: ended without it\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, message, sizeof message - 1);
    (void)written;
    _exit(code_after_closing);
}

static void close_in_time(struct worker *worker, int exit_code)
{
    code_after_closing = exit_code;
    signal(SIGALRM, on_alarm);
    alarm(CLOSE_SECONDS_MAX);
    close_worker(worker);
    alarm(0);
}

/* librdkafka has a dozen threads, whose large buffers come and go. glibc would give each thread a heap of its own, and once it has seen a
 * large block freed it would take the next from there, too: what was the most that each ever needed would stay. */
static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 64 << 10); /* a fixed one */
}

static int run_worker(struct worker *worker, const struct sq_option_list *models, const char *mode)
{
    struct sq_err err;
    keep_memory_small();
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of its own connection */
    if (open_worker(worker, models, mode, &err)) {
        fprintf(stderr, "squall run: %s\n", err.message);
        return sq_err_exit_code(err.code);
    }
    sq_log(SQ_LOG_INFO, SQ_L("worker starts"), SQ_LS("version", SQUALL_VERSION), SQ_LS("librdkafka", sq_kafka_version()),
           SQ_LS("app", worker->config->app), SQ_LS("instance", worker->config->instance), SQ_LS("brokers", worker->config->kafka.brokers),
           SQ_LS("web", sq_api_url(worker->api)));
    int exit_code = sq_pipeline_run(worker->pipeline);
    sq_log(SQ_LOG_INFO, SQ_L("worker stopped"), SQ_LI("exit_code", exit_code));
    return exit_code;
}

static int run(int argc, char **argv)
{
    static const char *const modes[] = {"live", "demo", NULL};
    const char *path = NULL, *roles = NULL;
    char roles_set[256];
    unsigned mode = 0;
    struct sq_option_list sets = {0}, models = {0};
    const struct sq_option options[] = {
        {.name = "config", .letter = 'c', .text = &path}, {.name = "set", .letter = 's', .list = &sets}, {.name = "roles", .text = &roles},
        {.name = "model", .list = &models},               {.name = "mode", .choice = &mode, .choices = modes}, {0},
    };
    struct sq_operands operands = {.max = 0};
    int exit_code = sq_args_parse(&sq_command_run, options, argc, argv, &operands);
    if (exit_code != SQ_ARGS_GO_ON) return exit_code;
    if (roles && sets.count == SQ_OPTION_LIST_MAX) return sq_args_mistake(&sq_command_run, "too many --set");
    if (roles) {
        snprintf(roles_set, sizeof roles_set, "roles=[%s]", roles);
        sets.items[sets.count++] = roles_set;
    }
    struct worker worker = {.read_from = {.path = path, .sets = sets.items, .sets_count = sets.count}};
    struct sq_err err;
    if (sq_config_load(&worker.config, &worker.read_from, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return sq_err_exit_code(err.code);
    }
    sq_log_set(worker.config->log.level, worker.config->log.format);
    exit_code = run_worker(&worker, &models, modes[mode]);
    close_in_time(&worker, exit_code);
    return exit_code;
}

const struct sq_command sq_command_run = {
    "run", "the worker: Kafka in, scores and alerts out",
    "usage: squall run -c FILE [--set path=value]... [--roles score,alert] [--model DIR]...\n"
    "\n"
    "Reads input.topics, writes <app>.scores, <app>.alerts and <app>.dlq. Any number of workers with the same app share the work.\n"
    "SIGTERM or Ctrl-C: takes nothing more, finishes, commits, leaves the group, exits 0. A second Ctrl-C leaves at once.\n"
    "SIGHUP, or POST /-/reload: the rules of the file as it is now; the old ones stay where they are wrong.\n"
    "\n"
    "  -c, --config FILE      the file; - is stdin; default $SQUALL_CONFIG, else defaults and environment alone\n"
    "  -s, --set PATH=VALUE   sets one key, as in model.threads=4; repeatable\n"
    "      --roles LIST       score, alert or both\n"
    "      --model DIR        a Hugging Face folder instead of model.path; repeated: an ensemble\n"
    "      --mode MODE        live (default) or demo: stands in the alerts\n"
    "\n"
    "Exit codes: 0 drained; 1 it couldn't go on, or not drained within shutdown_timeout; 78 wrong configuration or model; 130 second Ctrl-C.\n",
    run};
