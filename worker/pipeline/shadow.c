/* SPDX-License-Identifier: Apache-2.0 */
/* The thread may be put aside by the kernel while it holds the mutex, and for long. So the loop never waits for it: it tries, and what can't be
 * had at once is a text skipped, or counts that are a little older. */
#include "worker/pipeline/shadow.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"
#include "engine/base/metrics.h"

enum { SERIES_AGREED, SERIES_DIFFERED, SERIES_SKIPPED };

/* A text that waits, with the answer it is compared to. */
struct waiting {
    struct sq_buf text;
    float probabilities[SQ_LABELS_MAX];
    unsigned label;
};

struct sq_shadow {
    const struct sq_engine *engine, *in_use;
    struct sq_session *session;
    double sample, due;           /* due: of the sample, by the texts so far; at 1 one is taken */
    int label_of[SQ_LABELS_MAX];  /* of the shadow's labels, the id in the model in use */
    pthread_t thread;
    bool has_thread, has_lock;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct waiting queue[SQ_SHADOW_QUEUE_TEXTS]; /* a ring; under the mutex, as what follows */
    unsigned first, count;
    bool is_closing;
    struct sq_shadow_counts counts;
    struct sq_shadow_counts seen; /* the loop's copy of counts, and what it skipped itself */
    uint64_t skipped;
};

/* ---- comparing, on the thread ---- */

static double difference_of(const struct sq_shadow *shadow, const struct waiting *waiting, const struct sq_prediction *prediction)
{
    unsigned labels_count = sq_engine_info(shadow->in_use)->labels_count;
    float theirs[SQ_LABELS_MAX] = {0};
    double sum = 0;
    for (unsigned i = 0; i < sq_engine_info(shadow->engine)->labels_count; i++)
        if (shadow->label_of[i] != SQ_SHADOW_NO_LABEL) theirs[shadow->label_of[i]] = prediction->probabilities[i];
    for (unsigned i = 0; i < labels_count; i++) sum += fabs((double)theirs[i] - (double)waiting->probabilities[i]);
    return sum / labels_count;
}

static void count(struct sq_shadow *shadow, const struct waiting *waiting, const struct sq_prediction *prediction)
{
    bool agrees = prediction->code == 0 && shadow->label_of[prediction->label] == (int)waiting->label;
    pthread_mutex_lock(&shadow->mutex);
    if (prediction->code) {
        shadow->counts.skipped++;
    } else {
        shadow->counts.agreed += agrees;
        shadow->counts.differed += !agrees;
        shadow->counts.difference_sum += difference_of(shadow, waiting, prediction);
    }
    pthread_mutex_unlock(&shadow->mutex);
    sq_metric_add(SQ_M_SHADOW_TEXTS, prediction->code ? SERIES_SKIPPED : agrees ? SERIES_AGREED : SERIES_DIFFERED, 1);
}

/* Exchanges the oldest text for `into`, whose memory the queue goes on with. False: it is closing. */
static bool take(struct sq_shadow *shadow, struct waiting *into)
{
    pthread_mutex_lock(&shadow->mutex);
    while (!shadow->count && !shadow->is_closing) pthread_cond_wait(&shadow->changed, &shadow->mutex);
    bool goes_on = !shadow->is_closing;
    if (goes_on) {
        struct waiting *oldest = &shadow->queue[shadow->first], taken = *oldest;
        oldest->text = into->text;
        *into = taken;
        shadow->first = (shadow->first + 1) % SQ_SHADOW_QUEUE_TEXTS;
        shadow->count--;
    }
    pthread_mutex_unlock(&shadow->mutex);
    return goes_on;
}

static void *run(void *ctx)
{
    struct sq_shadow *shadow = ctx;
    struct waiting waiting = {0};
    const struct sched_param idle = {0};
    sched_setscheduler(0, SCHED_IDLE, &idle); /* of this thread; where it is refused, one thread of many is all it takes */
    sq_buf_init(&waiting.text);
    while (take(shadow, &waiting)) {
        struct sq_str text = sq_buf_view(&waiting.text);
        struct sq_prediction prediction = {0};
        sq_session_score(shadow->session, &text, 1, &prediction);
        count(shadow, &waiting, &prediction);
    }
    sq_buf_deinit(&waiting.text);
    return NULL;
}

/* ---- offering, on the loop ---- */

static bool put(struct sq_shadow *shadow, struct sq_str text, const struct sq_prediction *prediction)
{
    if (shadow->count == SQ_SHADOW_QUEUE_TEXTS) return false;
    struct waiting *waiting = &shadow->queue[(shadow->first + shadow->count) % SQ_SHADOW_QUEUE_TEXTS];
    sq_buf_clear(&waiting->text);
    sq_buf_append_str(&waiting->text, text);
    if (sq_buf_failed(&waiting->text)) return false;
    memcpy(waiting->probabilities, prediction->probabilities, sizeof waiting->probabilities);
    waiting->label = prediction->label;
    shadow->count++;
    return true;
}

void sq_shadow_offer(struct sq_shadow *shadow, struct sq_str text, const struct sq_prediction *prediction)
{
    if (!shadow || (shadow->due += shadow->sample) < 1) return;
    shadow->due -= 1;
    bool has_lock = pthread_mutex_trylock(&shadow->mutex) == 0;
    bool is_put = has_lock && put(shadow, text, prediction);
    if (has_lock) pthread_mutex_unlock(&shadow->mutex);
    if (is_put) {
        pthread_cond_signal(&shadow->changed);
        return;
    }
    shadow->skipped++;
    sq_metric_add(SQ_M_SHADOW_TEXTS, SERIES_SKIPPED, 1);
}

void sq_shadow_counts(struct sq_shadow *shadow, struct sq_shadow_counts *counts)
{
    if (pthread_mutex_trylock(&shadow->mutex) == 0) {
        shadow->seen = shadow->counts;
        pthread_mutex_unlock(&shadow->mutex);
    }
    *counts = shadow->seen;
    counts->skipped += shadow->skipped;
}

const struct sq_model_info *sq_shadow_model(const struct sq_shadow *shadow) { return sq_engine_info(shadow->engine); }

double sq_shadow_agreement(const struct sq_shadow_counts *counts)
{
    uint64_t compared = counts->agreed + counts->differed;
    return compared ? (double)counts->agreed / (double)compared : 0;
}

double sq_shadow_difference(const struct sq_shadow_counts *counts)
{
    uint64_t compared = counts->agreed + counts->differed;
    return compared ? counts->difference_sum / (double)compared : 0;
}

/* ---- open and close ---- */

int sq_shadow_match_labels(const struct sq_model_info *shadow, const struct sq_model_info *in_use, int label_of[SQ_LABELS_MAX], struct sq_err *err)
{
    int matched = 0;
    for (unsigned i = 0; i < shadow->labels_count; i++) {
        label_of[i] = SQ_SHADOW_NO_LABEL;
        for (unsigned j = 0; j < in_use->labels_count; j++)
            if (strcmp(shadow->labels[i], in_use->labels[j]) == 0) label_of[i] = (int)j;
        matched += label_of[i] != SQ_SHADOW_NO_LABEL;
    }
    if (matched) return matched;
    return sq_err_set(err, SQ_E_CONFIG, "model.shadow.path: %s has no label in common with %s: there is nothing to compare", shadow->name, in_use->name);
}

static int start(struct sq_shadow *shadow, struct sq_err *err)
{
    shadow->has_lock = pthread_mutex_init(&shadow->mutex, NULL) == 0 && pthread_cond_init(&shadow->changed, NULL) == 0;
    shadow->has_thread = shadow->has_lock && pthread_create(&shadow->thread, NULL, run, shadow) == 0;
    return shadow->has_thread ? 0 : sq_err_set(err, SQ_E_NOMEM, "no thread for model.shadow");
}

int sq_shadow_open(struct sq_shadow **out, const struct sq_engine *engine, const struct sq_engine *in_use, double sample, struct sq_err *err)
{
    *out = NULL;
    struct sq_shadow *shadow = calloc(1, sizeof *shadow);
    if (!shadow) return sq_err_set(err, SQ_E_NOMEM, "no memory for model.shadow");
    shadow->engine = engine;
    shadow->in_use = in_use;
    shadow->sample = sample;
    for (unsigned i = 0; i < SQ_SHADOW_QUEUE_TEXTS; i++) sq_buf_init(&shadow->queue[i].text);
    int matched = sq_shadow_match_labels(sq_engine_info(engine), sq_engine_info(in_use), shadow->label_of, err);
    int status = matched < 0 ? matched : 0;
    if (status == 0) status = sq_session_open(&shadow->session, engine, err);
    if (status == 0) status = start(shadow, err);
    if (status == 0) *out = shadow;
    else sq_shadow_close(shadow);
    return status;
}

void sq_shadow_close(struct sq_shadow *shadow)
{
    if (!shadow) return;
    if (shadow->has_thread) {
        pthread_mutex_lock(&shadow->mutex);
        shadow->is_closing = true;
        pthread_mutex_unlock(&shadow->mutex);
        pthread_cond_signal(&shadow->changed);
        pthread_join(shadow->thread, NULL);
    }
    if (shadow->has_lock) {
        pthread_mutex_destroy(&shadow->mutex);
        pthread_cond_destroy(&shadow->changed);
    }
    if (shadow->session) sq_session_close(shadow->session);
    for (unsigned i = 0; i < SQ_SHADOW_QUEUE_TEXTS; i++) sq_buf_deinit(&shadow->queue[i].text);
    free(shadow);
}
