/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed number of jobs circulates: the main thread takes a free one, gives it the next text and submits it; engine threads give it
 * back. Passes follow each other without a gap, so that threads don't run dry at each pass's end; a pass ends when as many texts
 * are finished as it has. Passes that would fit into one batch can't be told apart, so few texts are timed in laps of several passes. */
#include "worker/cli/bench_run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/pool.h"
#include "worker/cli/lines.h"

enum { LAP_TEXTS_MIN = 512 /* two of the largest batches */ };

struct bench {
    const struct sq_bench_texts *texts;
    size_t lap_passes; /* timed together */
    struct sq_pool *pool;
    struct sq_job *jobs; /* [jobs_count]; owned */
    size_t jobs_count;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t given_back;
    struct sq_job *free_jobs;
    size_t free_count;
    uint64_t finished;      /* texts since the last start */
    uint64_t lap_began_ns;  /* of the lap that is running */
    double *lap_seconds;    /* [laps_count]; owned */
    size_t laps_count, laps_capacity;
    bool out_of_memory;
    uint64_t tokens, truncated, failed;
};

int sq_bench_texts_read(struct sq_bench_texts *texts, const char *path, size_t *left_out, struct sq_err *err)
{
    struct sq_lines lines;
    struct sq_str line;
    size_t capacity = 0;
    *texts = (struct sq_bench_texts){0};
    *left_out = 0;
    int kind = sq_lines_open(&lines, path, SQ_TEXT_BYTES_MAX, err);
    if (kind < 0) return kind;
    while ((kind = sq_lines_next(&lines, &line, err)) > SQ_LINE_END) {
        if (kind == SQ_LINE_TOO_LONG) {
            (*left_out)++;
            continue;
        }
        if (texts->count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            struct sq_str *items = realloc(texts->items, capacity * sizeof *items);
            if (!items) break;
            texts->items = items;
        }
        char *copy = malloc(line.bytes + 1);
        if (!copy) break;
        memcpy(copy, line.data, line.bytes);
        texts->items[texts->count++] = (struct sq_str){copy, line.bytes};
    }
    sq_lines_close(&lines);
    if (kind > SQ_LINE_END) kind = sq_err_set(err, SQ_E_NOMEM, "no memory for the texts");
    if (kind == 0 && texts->count == 0) kind = sq_err_set(err, SQ_E_IO, "%s: holds no text", path);
    if (kind < 0) sq_bench_texts_deinit(texts);
    return kind;
}

void sq_bench_texts_deinit(struct sq_bench_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) free((void *)(uintptr_t)texts->items[i].data);
    free(texts->items);
    *texts = (struct sq_bench_texts){0};
}

/* Under the mutex. */
static void end_lap(struct bench *bench, uint64_t now_ns)
{
    if (bench->laps_count == bench->laps_capacity) {
        size_t capacity = bench->laps_capacity ? 2 * bench->laps_capacity : 64;
        double *grown = realloc(bench->lap_seconds, capacity * sizeof *grown);
        if (!grown) {
            bench->out_of_memory = true;
            return;
        }
        bench->lap_seconds = grown;
        bench->laps_capacity = capacity;
    }
    bench->lap_seconds[bench->laps_count++] = (double)(now_ns - bench->lap_began_ns) * 1e-9;
    bench->lap_began_ns = now_ns;
}

/* On an engine thread. */
static void give_back(struct sq_job *jobs, void *ctx)
{
    struct bench *bench = ctx;
    uint64_t now_ns = sq_clock_monotonic_ns();
    pthread_mutex_lock(&bench->mutex);
    for (struct sq_job *job = jobs, *next; job; job = next) {
        next = job->next;
        bench->tokens += job->prediction.tokens;
        bench->truncated += job->prediction.truncated;
        bench->failed += job->prediction.code < 0;
        job->next = bench->free_jobs;
        bench->free_jobs = job;
        bench->free_count++;
        if (++bench->finished % (bench->lap_passes * bench->texts->count) == 0) end_lap(bench, now_ns);
    }
    pthread_cond_signal(&bench->given_back);
    pthread_mutex_unlock(&bench->mutex);
}

static struct sq_job *take_free(struct bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    while (!bench->free_jobs) pthread_cond_wait(&bench->given_back, &bench->mutex);
    struct sq_job *job = bench->free_jobs;
    bench->free_jobs = job->next;
    bench->free_count--;
    pthread_mutex_unlock(&bench->mutex);
    return job;
}

static void wait_all(struct bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    while (bench->free_count < bench->jobs_count) pthread_cond_wait(&bench->given_back, &bench->mutex);
    pthread_mutex_unlock(&bench->mutex);
}

/* Whole laps until `seconds` are over, one at least. */
static int run_passes(struct bench *bench, double seconds, struct sq_err *err)
{
    uint64_t began_ns = sq_clock_monotonic_ns();
    bench->finished = bench->tokens = bench->truncated = bench->failed = 0;
    bench->laps_count = 0;
    bench->lap_began_ns = began_ns;
    do {
        for (size_t i = 0; i < bench->lap_passes * bench->texts->count; i++) {
            struct sq_job *job = take_free(bench);
            job->text = bench->texts->items[i % bench->texts->count];
            int status = sq_pool_try_submit(bench->pool, job);
            if (status < 0) return sq_err_set(err, status, "a text could not be handed to the engine: %s", sq_err_meaning(status));
        }
    } while ((double)(sq_clock_monotonic_ns() - began_ns) * 1e-9 < seconds);
    wait_all(bench);
    return bench->out_of_memory ? sq_err_set(err, SQ_E_NOMEM, "no memory for the passes' times") : 0;
}

static size_t rss_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* What all threads of the process have used of the cores. */
static double cpu_seconds(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static int compare_seconds(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_seconds);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void fill_result(struct sq_bench_result *result, struct bench *bench, const struct sq_pool_times *before, double wall_seconds)
{
    struct sq_pool_times after;
    sq_pool_times(bench->pool, &after);
    size_t passes_count = bench->laps_count * bench->lap_passes;
    double texts = (double)bench->texts->count, passes = (double)passes_count;
    double threads_ns = wall_seconds * 1e9 * result->threads;
    double encoding_ns = (double)(after.encoding_ns - before->encoding_ns);
    result->passes = passes_count;
    result->tokens = bench->tokens / passes_count;
    result->truncated = bench->truncated / passes_count;
    result->failed = bench->failed / passes_count;
    result->pass_seconds = median(bench->lap_seconds, bench->laps_count) / (double)bench->lap_passes;
    result->texts_per_second = texts / result->pass_seconds;
    result->tokens_per_second = (double)result->tokens / result->pass_seconds;
    result->encode_only_texts_per_second = encoding_ns > 0 ? texts * passes * result->threads / (encoding_ns * 1e-9) : 0;
    result->tokenising_share = (double)(after.tokenising_cpu_ns - before->tokenising_cpu_ns) / threads_ns;
    result->waiting_share = (double)(after.waiting_ns - before->waiting_ns) / threads_ns;
    double rest = 1 - result->tokenising_share - result->waiting_share - encoding_ns / threads_ns;
    result->handing_over_share = rest > 0 ? rest : 0;
    result->rss_bytes = rss_bytes();
}

static int measure(struct sq_bench_result *result, struct bench *bench, double seconds, struct sq_err *err)
{
    struct sq_pool_times before;
    int status = run_passes(bench, 0, err);
    if (status < 0) return status;
    result->rss_warm_bytes = rss_bytes();
    sq_pool_times(bench->pool, &before);
    uint64_t began_ns = sq_clock_monotonic_ns();
    double began_cpu = cpu_seconds();
    status = run_passes(bench, seconds, err);
    if (status < 0) return status;
    result->texts_per_cpu_second = (double)bench->finished / (cpu_seconds() - began_cpu);
    fill_result(result, bench, &before, (double)(sq_clock_monotonic_ns() - began_ns) * 1e-9);
    return 0;
}

int sq_bench_run(struct sq_bench_result *result, const struct sq_engine *engine, const struct sq_bench_texts *texts, unsigned threads,
                 unsigned in_flight, double seconds, struct sq_err *err)
{
    struct bench bench = {.texts = texts, .jobs = calloc(in_flight, sizeof *bench.jobs), .jobs_count = in_flight, .free_count = in_flight};
    size_t lap_texts_min = in_flight < LAP_TEXTS_MIN ? in_flight : LAP_TEXTS_MIN;
    bench.lap_passes = (lap_texts_min + texts->count - 1) / texts->count;
    *result = (struct sq_bench_result){.rss_before_bytes = rss_bytes()};
    if (!bench.jobs) return sq_err_set(err, SQ_E_NOMEM, "no memory for the jobs");
    for (size_t i = 0; i < in_flight; i++) bench.jobs[i].next = i + 1 < in_flight ? &bench.jobs[i + 1] : NULL;
    bench.free_jobs = bench.jobs;
    pthread_mutex_init(&bench.mutex, NULL);
    pthread_cond_init(&bench.given_back, NULL);
    struct sq_pool_options options = {.threads = threads, .queue_jobs_max = in_flight, .done = give_back, .done_ctx = &bench};
    int status = sq_pool_open(&bench.pool, engine, &options, err);
    if (status == 0) {
        result->threads = sq_pool_threads(bench.pool);
        status = measure(result, &bench, seconds, err);
    }
    sq_pool_close(bench.pool);
    pthread_cond_destroy(&bench.given_back);
    pthread_mutex_destroy(&bench.mutex);
    free(bench.lap_seconds);
    free(bench.jobs);
    return status;
}
