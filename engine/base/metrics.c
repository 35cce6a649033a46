/* SPDX-License-Identifier: Apache-2.0 */
/* Cells are plain atomics, touched with relaxed order: a sample is a number of its own, and a scrape promises no common moment for
 * several of them. Within one histogram it does promise that the buckets add up: +Inf and _count are the sum of the cells as read. */
#include "engine/base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { BOUNDS_MAX = 17, COLLECTORS_MAX = 8 };

struct type {
    const char *word;
    double sum_unit; /* a histogram's sum is kept as a whole number of these */
    unsigned bounds_count;
    double bounds[BOUNDS_MAX]; /* upper bounds of the buckets, ascending */
};

#define WORD_COUNTER "counter"
#define WORD_GAUGE "gauge"
#define WORD_HISTOGRAM "histogram"
#define WORD_HISTOGRAM_N "histogram"
static const struct type type_COUNTER = {.word = WORD_COUNTER};
static const struct type type_GAUGE = {.word = WORD_GAUGE};
static const struct type type_HISTOGRAM = {
    WORD_HISTOGRAM, 1e-9, 17, {.0005, .001, .0025, .005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}};
static const struct type type_HISTOGRAM_N = {
    WORD_HISTOGRAM_N, 1, 13, {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096}};

/* A family's strings: the help, then the label values. */
#define TEXTS(id, type, name, key, ...)                                                                                          \
    static const char *const keys_##id[] = {key, NULL};                                                                          \
    static const char *const texts_##id[] = {__VA_ARGS__, NULL};                                                                 \
    _Static_assert(sizeof texts_##id / sizeof *texts_##id - 2 <= SQ_METRIC_SERIES_MAX, "raise SQ_METRIC_SERIES_MAX for " name);
SQ_METRIC_TABLE(TEXTS)
#undef TEXTS

/* A dynamic family's strings: the help, then the label keys. */
#define TEXTS(id, type, name, ...) static const char *const texts_##id[] = {__VA_ARGS__, NULL};
SQ_METRIC_DYNAMIC_TABLE(TEXTS)
#undef TEXTS

#define FIRST_OF(first, ...) first
#define HELP(...) FIRST_OF(__VA_ARGS__, NULL)
static const struct sq_metric_row rows[] = {
#define ROW(id, type, name, key, ...) {"squall_" name, WORD_##type, HELP(__VA_ARGS__), keys_##id + (sizeof key == 1), texts_##id + 1},
    SQ_METRIC_TABLE(ROW)
#undef ROW
#define ROW(id, type, name, ...) {"squall_" name, WORD_##type, HELP(__VA_ARGS__), texts_##id + 1, NULL},
    SQ_METRIC_DYNAMIC_TABLE(ROW)
#undef ROW
};
enum { ROWS_COUNT = sizeof rows / sizeof *rows };

static const struct type *const types[SQ_METRIC_COUNT] = {
#define TYPE(id, type, ...) &type_##type,
    SQ_METRIC_TABLE(TYPE)
#undef TYPE
};

/* A counter or gauge is `value`; a histogram is its buckets, the last one for what exceeds every bound, and its sum in `value`. */
static struct cell {
    _Atomic int64_t value;
    _Atomic uint64_t buckets[BOUNDS_MAX + 1];
} cells[SQ_METRIC_COUNT][SQ_METRIC_SERIES_MAX];

static struct collector {
    sq_metrics_collect_fn collect;
    void *ctx;
} collectors[COLLECTORS_MAX];
static unsigned collectors_count;
static pthread_mutex_t collectors_mutex = PTHREAD_MUTEX_INITIALIZER;

void sq_metric_add(enum sq_metric metric, unsigned series, uint64_t amount)
{
    atomic_fetch_add_explicit(&cells[metric][series].value, (int64_t)amount, memory_order_relaxed);
}

void sq_metric_set(enum sq_metric metric, unsigned series, int64_t value)
{
    atomic_store_explicit(&cells[metric][series].value, value, memory_order_relaxed);
}

void sq_metric_move(enum sq_metric metric, unsigned series, int64_t delta)
{
    atomic_fetch_add_explicit(&cells[metric][series].value, delta, memory_order_relaxed);
}

void sq_metric_observe(enum sq_metric metric, unsigned series, double value)
{
    const struct type *type = types[metric];
    struct cell *cell = &cells[metric][series];
    if (!(value > 0)) value = 0; /* a clock that went back, or NaN */
    unsigned bucket = 0;
    while (bucket < type->bounds_count && value > type->bounds[bucket]) bucket++;
    atomic_fetch_add_explicit(&cell->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cell->value, llrint(fmin(value / type->sum_unit, 1e18)), memory_order_relaxed);
}

int64_t sq_metric_value(enum sq_metric metric, unsigned series)
{
    return atomic_load_explicit(&cells[metric][series].value, memory_order_relaxed);
}

double sq_metric_quantile(enum sq_metric metric, unsigned series, double quantile)
{
    const struct type *type = types[metric];
    uint64_t counts[BOUNDS_MAX + 1], total = 0, below = 0;
    for (unsigned i = 0; i <= type->bounds_count; i++)
        total += counts[i] = atomic_load_explicit(&cells[metric][series].buckets[i], memory_order_relaxed);
    if (total == 0) return NAN;
    double rank = quantile * (double)total;
    for (unsigned i = 0; i < type->bounds_count; below += counts[i++]) {
        if (counts[i] == 0 || (double)(below + counts[i]) < rank) continue;
        double low = i ? type->bounds[i - 1] : 0;
        return low + (type->bounds[i] - low) * (rank - (double)below) / (double)counts[i];
    }
    return type->bounds[type->bounds_count - 1]; /* all that is known of what lies beyond */
}

int sq_metrics_collector_add(sq_metrics_collect_fn collect, void *ctx)
{
    pthread_mutex_lock(&collectors_mutex);
    int status = collectors_count < COLLECTORS_MAX ? 0 : SQ_E_FULL;
    if (status == 0) collectors[collectors_count++] = (struct collector){collect, ctx};
    pthread_mutex_unlock(&collectors_mutex);
    return status;
}

void sq_metrics_collector_remove(void *ctx)
{
    pthread_mutex_lock(&collectors_mutex);
    unsigned kept = 0;
    for (unsigned i = 0; i < collectors_count; i++)
        if (collectors[i].ctx != ctx) collectors[kept++] = collectors[i];
    collectors_count = kept;
    pthread_mutex_unlock(&collectors_mutex);
}

const struct sq_metric_row *sq_metrics_row(unsigned index) { return index < ROWS_COUNT ? &rows[index] : NULL; }

static void write_header(struct sq_buf *out, const struct sq_metric_row *row)
{
    sq_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, row->type);
}

/* Label values may come from names of topics and models: the format escapes backslash, quote and line feed. */
static void write_label_value(struct sq_buf *out, struct sq_str value)
{
    for (size_t i = 0; i < value.bytes; i++) {
        char c = value.data[i];
        if (c == '\\' || c == '"') sq_buf_append_char(out, '\\');
        if (c == '\n') sq_buf_append_text(out, "\\n");
        else sq_buf_append_char(out, c);
    }
}

static void write_histogram(struct sq_buf *out, const struct sq_metric_row *row, const struct type *type, const struct cell *cell,
                            const char *label)
{
    const char *comma = *label ? "," : "";
    uint64_t count = 0;
    for (unsigned i = 0; i <= type->bounds_count; i++) {
        count += atomic_load_explicit(&cell->buckets[i], memory_order_relaxed);
        sq_buf_printf(out, "%s_bucket{%s%sle=\"", row->name, label, comma);
        if (i < type->bounds_count) sq_buf_printf(out, "%g\"} %llu\n", type->bounds[i], (unsigned long long)count);
        else sq_buf_printf(out, "+Inf\"} %llu\n", (unsigned long long)count);
    }
    double sum = (double)atomic_load_explicit(&cell->value, memory_order_relaxed) * type->sum_unit;
    const char *open = *label ? "{" : "", *close = *label ? "}" : "";
    sq_buf_printf(out, "%s_sum%s%s%s %.15g\n", row->name, open, label, close, sum);
    sq_buf_printf(out, "%s_count%s%s%s %llu\n", row->name, open, label, close, (unsigned long long)count);
}

static void write_series(struct sq_buf *out, unsigned metric, unsigned series, const char *label)
{
    const struct sq_metric_row *row = &rows[metric];
    if (types[metric]->bounds_count) {
        write_histogram(out, row, types[metric], &cells[metric][series], label);
    } else {
        const char *open = *label ? "{" : "", *close = *label ? "}" : "";
        sq_buf_printf(out, "%s%s%s%s %lld\n", row->name, open, label, close,
                      (long long)sq_metric_value((enum sq_metric)metric, series));
    }
}

static void write_family(struct sq_buf *out, unsigned metric)
{
    const struct sq_metric_row *row = &rows[metric];
    write_header(out, row);
    if (!row->label_values[0]) write_series(out, metric, 0, "");
    for (unsigned series = 0; row->label_values[series]; series++) {
        char label[128];
        snprintf(label, sizeof label, "%s=\"%s\"", row->label_keys[0], row->label_values[series]);
        write_series(out, metric, series, label);
    }
}

void sq_metrics_write_family(struct sq_buf *out, enum sq_metric_dynamic family) { write_header(out, &rows[SQ_METRIC_COUNT + family]); }

void sq_metrics_write_sample(struct sq_buf *out, enum sq_metric_dynamic family, const struct sq_str *label_values, double value)
{
    const struct sq_metric_row *row = &rows[SQ_METRIC_COUNT + family];
    sq_buf_append_text(out, row->name);
    for (unsigned i = 0; row->label_keys[i]; i++) {
        sq_buf_printf(out, "%s%s=\"", i == 0 ? "{" : ",", row->label_keys[i]);
        write_label_value(out, label_values[i]);
        sq_buf_append_char(out, '"');
    }
    if (isinf(value)) sq_buf_append_text(out, value > 0 ? "} +Inf\n" : "} -Inf\n");
    else sq_buf_printf(out, "} %.15g\n", value);
}

void sq_metrics_write(struct sq_buf *out)
{
    for (unsigned metric = 0; metric < SQ_METRIC_COUNT; metric++) write_family(out, metric);
    pthread_mutex_lock(&collectors_mutex);
    for (unsigned i = 0; i < collectors_count; i++) collectors[i].collect(out, collectors[i].ctx);
    pthread_mutex_unlock(&collectors_mutex);
    sq_metrics_write_process(out);
}
