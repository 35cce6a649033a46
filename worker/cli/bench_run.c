/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed number of jobs circulates: the main thread takes a free one, gives it the next text and submits it; engine threads give it
 * back. A stretch is one pool's life: some texts to get under way, then laps that follow each other without a gap. Nobody runs dry at a
 * lap's end, since texts are fed until the last lap is over. A lap is a pass, or several where the texts are few. Threads finish out of order,
 * so a lap may end with a text of the next: what a pass holds is counted by the texts of the first, whenever they finish.
 *
 * Several numbers of threads take turns, a lap each, round after round, so that what else the machine does hits them alike; speed-ups
 * are medians over the rounds. */
#include "worker/cli/bench_run.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/pool.h"

enum {
    JOBS_A_THREAD = 64,          /* in flight: some batches ahead */
    LAP_TEXTS_MIN = 512,         /* two of the largest batches */
    ROUNDS_MIN = 3,
};

/* What had been used up at one moment. */
struct moment {
    uint64_t wall_ns, cpu_ns; /* the latter by the whole process */
    struct sq_pool_times times;
};

/* One number of threads, over all of its stretches. */
struct entry {
    struct sq_bench_result *result;
    double *lap_seconds, *lap_cpu_seconds; /* [laps_count]; owned */
    size_t laps_count, laps_capacity;
    double seconds, cpu_seconds;           /* sums */
    struct sq_pool_times spent;
};

struct bench_job {
    struct sq_job job; /* first */
    bool is_of_first_pass;
};

/* Of one pass. */
struct counts {
    uint64_t tokens, truncated, failed;
};

struct bench {
    const struct sq_engine *engine;
    const struct sq_bench_texts *texts;
    const struct sq_bench_options *options;
    size_t lap_texts;
    struct bench_job *jobs; /* [SQ_BENCH_IN_FLIGHT_MAX]; owned */
    struct sq_pool *pool;
    size_t next_text;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t given_back;
    struct sq_job *free_jobs;
    size_t in_flight, refill_at; /* once all are out, the feeder sleeps until so few are */
    struct counts counts;
    struct entry *entry;     /* whose stretch it is */
    size_t until_mark;       /* texts to finish until the laps begin, then until the lap's end */
    bool is_timed;           /* a lap is running */
    struct moment lap_began;
    double stretch_seconds, stretch_seconds_min;
    bool is_over, out_of_memory;
};

/* ---- laps; under the mutex, on an engine thread ---- */

static uint64_t process_cpu_ns(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
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

static struct moment now(const struct bench *bench)
{
    struct moment moment = {.wall_ns = sq_clock_monotonic_ns(), .cpu_ns = process_cpu_ns()};
    sq_pool_times(bench->pool, &moment.times);
    return moment;
}

static bool grow_laps(struct entry *entry)
{
    if (entry->laps_count < entry->laps_capacity) return true;
    size_t capacity = entry->laps_capacity ? 2 * entry->laps_capacity : 64;
    double *seconds = realloc(entry->lap_seconds, capacity * sizeof *seconds);
    if (seconds) entry->lap_seconds = seconds;
    double *cpu_seconds = realloc(entry->lap_cpu_seconds, capacity * sizeof *cpu_seconds);
    if (cpu_seconds) entry->lap_cpu_seconds = cpu_seconds;
    if (!seconds || !cpu_seconds) return false;
    entry->laps_capacity = capacity;
    return true;
}

static void add_spent(struct sq_pool_times *spent, const struct sq_pool_times *before, const struct sq_pool_times *after)
{
    spent->waiting_ns += after->waiting_ns - before->waiting_ns;
    spent->encoding_ns += after->encoding_ns - before->encoding_ns;
    spent->tokenising_cpu_ns += after->tokenising_cpu_ns - before->tokenising_cpu_ns;
    spent->encoding_cpu_ns += after->encoding_cpu_ns - before->encoding_cpu_ns;
}

static void end_lap(struct bench *bench, const struct moment *at)
{
    struct entry *entry = bench->entry;
    if (!grow_laps(entry)) {
        bench->out_of_memory = bench->is_over = true;
        return;
    }
    double seconds = (double)(at->wall_ns - bench->lap_began.wall_ns) * 1e-9, cpu_seconds = (double)(at->cpu_ns - bench->lap_began.cpu_ns) * 1e-9;
    entry->lap_seconds[entry->laps_count] = seconds;
    entry->lap_cpu_seconds[entry->laps_count++] = cpu_seconds;
    entry->seconds += seconds;
    entry->cpu_seconds += cpu_seconds;
    add_spent(&entry->spent, &bench->lap_began.times, &at->times);
    bench->stretch_seconds += seconds;
    if (bench->stretch_seconds >= bench->stretch_seconds_min) bench->is_over = true;
}

/* The texts to get under way are finished, or those of a lap. */
static void pass_mark(struct bench *bench)
{
    struct moment at = now(bench);
    if (bench->is_timed) end_lap(bench, &at);
    else if (bench->entry->result->rss_warm_bytes == 0) bench->entry->result->rss_warm_bytes = rss_bytes();
    bench->is_timed = !bench->is_over;
    bench->lap_began = at;
    bench->until_mark = bench->lap_texts;
}

static void count(struct bench *bench, const struct sq_job *job)
{
    const struct sq_prediction *prediction = &job->prediction;
    if (((const struct bench_job *)job)->is_of_first_pass) {
        bench->counts.tokens += prediction->tokens;
        bench->counts.truncated += prediction->truncated;
        bench->counts.failed += prediction->code < 0;
    }
    if (!bench->is_over && --bench->until_mark == 0) pass_mark(bench);
}

static void give_back(struct sq_job *jobs, void *ctx)
{
    struct bench *bench = ctx;
    pthread_mutex_lock(&bench->mutex);
    for (struct sq_job *job = jobs, *next; job; job = next) {
        next = job->next;
        count(bench, job);
        job->next = bench->free_jobs;
        bench->free_jobs = job;
        bench->in_flight--;
    }
    if (bench->is_over || bench->in_flight <= bench->refill_at) pthread_cond_signal(&bench->given_back);
    pthread_mutex_unlock(&bench->mutex);
}

/* ---- a stretch ---- */

/* NULL: the stretch is over. */
static struct sq_job *take_free(struct bench *bench, size_t in_flight_max)
{
    struct sq_job *job = NULL;
    pthread_mutex_lock(&bench->mutex);
    bool is_full = bench->in_flight == in_flight_max;
    while (is_full && !bench->is_over && bench->in_flight > bench->refill_at) pthread_cond_wait(&bench->given_back, &bench->mutex);
    if (!bench->is_over) {
        job = bench->free_jobs;
        bench->free_jobs = job->next;
        bench->in_flight++;
    }
    pthread_mutex_unlock(&bench->mutex);
    return job;
}

static void wait_all(struct bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    while (bench->in_flight > 0) pthread_cond_wait(&bench->given_back, &bench->mutex);
    pthread_mutex_unlock(&bench->mutex);
}

static int feed(struct bench *bench, size_t in_flight_max, struct sq_err *err)
{
    struct sq_job *job;
    while ((job = take_free(bench, in_flight_max))) {
        ((struct bench_job *)job)->is_of_first_pass = bench->next_text < bench->texts->count;
        job->text = bench->texts->items[bench->next_text++ % bench->texts->count];
        int status = sq_pool_try_submit(bench->pool, job);
        if (status < 0) return sq_err_set(err, status, "a text could not be handed to the engine: %s", sq_err_meaning(status));
    }
    wait_all(bench);
    return bench->out_of_memory ? sq_err_set(err, SQ_E_NOMEM, "no memory for the passes' times") : 0;
}

static size_t choose_in_flight(const struct bench *bench, const struct entry *entry)
{
    size_t in_flight = bench->options->in_flight ? bench->options->in_flight : (size_t)entry->result->threads * JOBS_A_THREAD;
    return in_flight < SQ_BENCH_IN_FLIGHT_MAX ? in_flight : SQ_BENCH_IN_FLIGHT_MAX;
}

/* Laps of one entry until `seconds` are over, one at least, with `lead_texts` before them. */
static int run_stretch(struct bench *bench, struct entry *entry, size_t lead_texts, double seconds, struct sq_err *err)
{
    size_t rss_before = rss_bytes(), in_flight_max = choose_in_flight(bench, entry);
    const struct sq_pool_options options = {.threads = entry->result->threads, .queue_jobs_max = SQ_BENCH_IN_FLIGHT_MAX,
                                            .done = give_back, .done_ctx = bench};
    int status = sq_pool_open(&bench->pool, bench->engine, &options, err);
    if (status < 0) return status;
    bench->entry = entry;
    bench->until_mark = lead_texts > in_flight_max ? lead_texts : in_flight_max;
    bench->is_timed = bench->is_over = false;
    bench->refill_at = in_flight_max / 2;
    bench->stretch_seconds = 0;
    bench->stretch_seconds_min = seconds;
    status = feed(bench, in_flight_max, err);
    entry->result->rss_bytes = rss_bytes();
    if (entry->result->rss_before_bytes == 0) entry->result->rss_before_bytes = rss_before;
    sq_pool_close(bench->pool);
    malloc_trim(0); /* the arenas go back, so that the next pool's memory is its own */
    return status;
}

/* ---- results ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Sorts the values. */
static double median(double *values, size_t values_count)
{
    qsort(values, values_count, sizeof *values, compare_doubles);
    return values_count % 2 ? values[values_count / 2] : (values[values_count / 2 - 1] + values[values_count / 2]) / 2;
}

/* The median over the laps that both have of first / other. */
static double median_ratio(const double *first, const double *other, size_t laps_count, double *room)
{
    for (size_t i = 0; i < laps_count; i++) room[i] = first[i] / other[i];
    return median(room, laps_count);
}

/* In rounds the entries have as many laps; alone, an entry is compared with itself. */
static int fill_speed_up(const struct entry *first, const struct entry *entry, struct sq_err *err)
{
    struct sq_bench_result *result = entry->result;
    double *room = malloc(entry->laps_count * sizeof *room);
    if (!room) return sq_err_set(err, SQ_E_NOMEM, "no memory for the results");
    result->speed_up = median_ratio(first->lap_seconds, entry->lap_seconds, entry->laps_count, room);
    result->speed_up_of_cpu = median_ratio(first->lap_cpu_seconds, entry->lap_cpu_seconds, entry->laps_count, room) * result->threads /
                              first->result->threads;
    free(room);
    return 0;
}

static void fill_result(const struct bench *bench, struct entry *entry)
{
    struct sq_bench_result *result = entry->result;
    size_t lap_texts = bench->lap_texts, texts_count = bench->texts->count;
    double texts = (double)(lap_texts * entry->laps_count), lap_passes = (double)(lap_texts / texts_count);
    double encoding_seconds = (double)entry->spent.encoding_ns * 1e-9, encoding_cpu_seconds = (double)entry->spent.encoding_cpu_ns * 1e-9;
    double tokenising_cpu_seconds = (double)entry->spent.tokenising_cpu_ns * 1e-9;
    result->passes = lap_texts / texts_count * entry->laps_count;
    result->tokens = bench->counts.tokens;
    result->truncated = bench->counts.truncated;
    result->failed = bench->counts.failed;
    result->waiting_share = (double)entry->spent.waiting_ns * 1e-9 / (entry->seconds * result->threads);
    result->tokenising_share = tokenising_cpu_seconds / entry->cpu_seconds;
    double handed_over = 1 - (tokenising_cpu_seconds + encoding_cpu_seconds) / entry->cpu_seconds;
    result->handing_over_share = handed_over > 0 ? handed_over : 0;
    result->encode_only_texts_per_second = encoding_seconds > 0 ? texts * result->threads / encoding_seconds : 0;
    result->pass_seconds = median(entry->lap_seconds, entry->laps_count) / lap_passes;
    result->texts_per_second = (double)texts_count / result->pass_seconds;
    result->tokens_per_second = (double)result->tokens / result->pass_seconds;
    result->texts_per_cpu_second = (double)lap_texts / median(entry->lap_cpu_seconds, entry->laps_count);
}

static int fill_results(const struct bench *bench, struct entry *entries, unsigned entries_count, struct sq_err *err)
{
    int status = 0;
    for (unsigned i = 0; status == 0 && i < entries_count; i++) status = fill_speed_up(&entries[0], &entries[i], err);
    for (unsigned i = 0; status == 0 && i < entries_count; i++) fill_result(bench, &entries[i]);
    return status;
}

/* ---- all of it ---- */

static bool is_enough(const struct entry *entries, unsigned entries_count, double seconds)
{
    for (unsigned i = 0; i < entries_count; i++)
        if (entries[i].laps_count < ROUNDS_MIN || entries[i].seconds < seconds) return false;
    return true;
}

static int run_rounds(struct bench *bench, struct entry *entries, unsigned entries_count, struct sq_err *err)
{
    int status = 0;
    double seconds = bench->options->seconds;
    size_t warm_up = bench->texts->count;
    if (entries_count == 1) return run_stretch(bench, &entries[0], warm_up, seconds, err);
    while (status == 0 && !is_enough(entries, entries_count, seconds)) {
        for (unsigned i = 0; status == 0 && i < entries_count; i++, warm_up = 0) status = run_stretch(bench, &entries[i], warm_up, 0, err);
    }
    return status;
}

static int bench_init(struct bench *bench, const struct sq_engine *engine, const struct sq_bench_texts *texts,
                      const struct sq_bench_options *options, struct sq_err *err)
{
    size_t few = options->in_flight && options->in_flight < LAP_TEXTS_MIN ? options->in_flight : LAP_TEXTS_MIN;
    size_t lap_passes = (few + texts->count - 1) / texts->count;
    *bench = (struct bench){.engine = engine, .texts = texts, .options = options, .lap_texts = lap_passes * texts->count};
    bench->jobs = calloc(SQ_BENCH_IN_FLIGHT_MAX, sizeof *bench->jobs);
    if (!bench->jobs) return sq_err_set(err, SQ_E_NOMEM, "no memory for the jobs");
    for (size_t i = 0; i < SQ_BENCH_IN_FLIGHT_MAX; i++) {
        bench->jobs[i].job.next = bench->free_jobs;
        bench->free_jobs = &bench->jobs[i].job;
    }
    pthread_mutex_init(&bench->mutex, NULL);
    pthread_cond_init(&bench->given_back, NULL);
    return 0;
}

int sq_bench_run(struct sq_bench_result *results, const unsigned *threads, unsigned results_count, const struct sq_engine *engine,
                 const struct sq_bench_texts *texts, const struct sq_bench_options *options, struct sq_err *err)
{
    struct bench bench;
    struct entry *entries = calloc(results_count, sizeof *entries);
    if (!entries) return sq_err_set(err, SQ_E_NOMEM, "no memory for the results");
    int status = bench_init(&bench, engine, texts, options, err);
    for (unsigned i = 0; i < results_count; i++) {
        results[i] = (struct sq_bench_result){.threads = threads[i] ? threads[i] : sq_pool_threads_default()};
        entries[i].result = &results[i];
    }
    if (status == 0) {
        status = run_rounds(&bench, entries, results_count, err);
        if (status == 0) status = fill_results(&bench, entries, results_count, err);
        pthread_cond_destroy(&bench.given_back);
        pthread_mutex_destroy(&bench.mutex);
    }
    for (unsigned i = 0; i < results_count; i++) {
        free(entries[i].lap_seconds);
        free(entries[i].lap_cpu_seconds);
    }
    free(entries);
    free(bench.jobs);
    return status;
}
