/* SPDX-License-Identifier: Apache-2.0 */
/* bench_profile FOLDER FILE [PRECISION [ISA]]: where the time of scoring a file's lines goes, on one thread, in % a phase.
 *
 * The linker puts timers around the engine's functions (--wrap, see CMakeLists.txt), and the table of vector functions is replaced by one with timers, so
 * the engine is the one that ships. A timer is two readings of the CPU's cycle counter; be alone on the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/json.h"
#include "engine/embedding.h"
#include "engine/head.h"
#include "engine/session.h"

enum { FILE_BYTES_MAX = 1 << 28, TEXTS_MAX = 1 << 16, SECONDS = 4 };

enum phase { TOKENISE, EMBED, QKV, ATTENTION, OUTPUT, UP, ACTIVATE, DOWN, NORMS, QUANTISE, HEAD, PHASES };
static const char *const phase_names[PHASES] = {"tokenise", "embed", "queries, keys, values", "attention", "output", "up", "GELU", "down", "layer norms",
                                                "quantise", "head"};

static uint64_t ticks[PHASES];
static const struct sq_engine *engine;
static const struct sq_vector *untimed;

static uint64_t now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
#endif
}

/* Each phase gets the time spent in it and not in another inside it. */
static uint64_t inside;

static void account(enum phase phase, uint64_t start, uint64_t inside_before)
{
    uint64_t spent = now() - start;
    ticks[phase] += spent - (inside - inside_before);
    inside = inside_before + spent;
}

static enum phase phase_of(const struct sq_linear *linear)
{
    for (unsigned i = 0; engine && i < engine->config.layers; i++) { /* none while the model is opened */
        const struct sq_layer_weights *layer = &engine->weights.layers[i];
        if (linear == &layer->qkv) return QKV;
        if (linear == &layer->output) return OUTPUT;
        if (linear == &layer->up) return UP;
        if (linear == &layer->down) return DOWN;
    }
    return HEAD;
}

/* Declares the function that the linker calls instead, with the time it takes added to a phase. */
#define TIMED(type, name, phase, parameters, arguments) \
    type __real_##name parameters;                      \
    type __wrap_##name parameters;                      \
    type __wrap_##name parameters                       \
    {                                                   \
        uint64_t before = inside, start = now();        \
        TIMED_##type(__real_##name arguments)           \
        account(phase, start, before);                  \
        TIMED_RETURN_##type                             \
    }
#define TIMED_void(call) call;
#define TIMED_RETURN_void
#define TIMED_int(call) int result = call;
#define TIMED_RETURN_int return result;
typedef struct sq_operand operand;
#define TIMED_operand(call) operand result = call;
#define TIMED_RETURN_operand return result;

TIMED(int, sq_tokenizer_encode, TOKENISE,
      (const struct sq_tokenizer *tokenizer, struct sq_str text, size_t tokens_max, struct sq_arena *scratch, int32_t *ids, size_t *ids_count, bool *truncated,
       struct sq_err *err),
      (tokenizer, text, tokens_max, scratch, ids, ids_count, truncated, err))
TIMED(void, sq_linear_apply, phase_of(linear),
      (const struct sq_linear *linear, size_t first, size_t outputs, float *out, size_t out_stride, const struct sq_operand *in, size_t rows,
       enum sq_linear_mode mode),
      (linear, first, outputs, out, out_stride, in, rows, mode))
TIMED(operand, sq_operand_make, QUANTISE,
      (const struct sq_linear *linear, const struct sq_operand_space *space, const float *x, size_t x_stride, size_t rows), (linear, space, x, x_stride, rows))
TIMED(void, sq_attention_run, ATTENTION, (const struct sq_kernels *kernels, const struct sq_attention *attention), (kernels, attention))
TIMED(void, sq_embedding_run, EMBED, (const struct sq_encoder *encoder, const struct sq_batch *batch, float *x, float *narrow, size_t rows),
      (encoder, batch, x, narrow, rows))
TIMED(void, sq_head_run, HEAD,
      (const struct sq_encoder *encoder, const float *first, float *pooled, size_t rows, size_t texts_count, float *outputs),
      (encoder, first, pooled, rows, texts_count, outputs))

static void layer_norm(float *x, size_t rows, size_t width, const float *gamma, const float *beta, float eps)
{
    uint64_t before = inside, start = now();
    untimed->layer_norm(x, rows, width, gamma, beta, eps);
    account(NORMS, start, before);
}

static void gelu(float *x, size_t count)
{
    uint64_t before = inside, start = now();
    untimed->gelu_erf(x, count);
    account(ACTIVATE, start, before);
}

static int fail(const struct sq_err *err)
{
    fprintf(stderr, "bench_profile: %s\n", err->message);
    return 1;
}

static size_t split(struct sq_str *texts, struct sq_str rest)
{
    size_t count = 0;
    while (rest.bytes > 0 && count < TEXTS_MAX) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        size_t line = newline ? (size_t)(newline - rest.data) : rest.bytes, step = line + (newline ? 1 : 0);
        texts[count++] = (struct sq_str){rest.data, line};
        rest = (struct sq_str){rest.data + step, rest.bytes - step};
    }
    return count;
}

static void print(uint64_t total)
{
    uint64_t rest = total;
    printf("| phase | %% of the time |\n| --- | --- |\n");
    for (int i = 0; i < PHASES; i++) {
        printf("| %s | %.1f |\n", phase_names[i], 100.0 * (double)ticks[i] / (double)total);
        rest -= ticks[i];
    }
    printf("| the rest: batches, hashes, softmax | %.1f |\n", 100.0 * (double)rest / (double)total);
}

static int profile(struct sq_engine *opened, struct sq_session *session, const struct sq_buf *file)
{
    static struct sq_str texts[TEXTS_MAX];
    static struct sq_prediction predictions[TEXTS_MAX];
    static struct sq_vector vector;
    static struct sq_kernels kernels;
    size_t count = split(texts, sq_buf_view(file));
    engine = opened;
    kernels = *opened->encoder.kernels;
    untimed = kernels.vector;
    vector = *untimed;
    vector.layer_norm = layer_norm;
    vector.gelu_erf = gelu;
    kernels.vector = &vector;
    opened->encoder.kernels = &kernels;
    sq_session_score(session, texts, count, predictions);
    memset(ticks, 0, sizeof ticks);
    uint64_t total = 0;
    for (time_t end = time(NULL) + SECONDS; time(NULL) < end;) {
        uint64_t start = now();
        sq_session_score(session, texts, count, predictions);
        total += now() - start;
    }
    printf("%s, %s, %s, %zu texts\n\n", opened->info.name, opened->info.precision_text, opened->info.isa, count);
    print(total);
    return 0;
}

static enum sq_precision precision_of(const char *name)
{
    return strcmp(name, "fp32") == 0 ? SQ_PRECISION_FP32 : strcmp(name, "int8") == 0 ? SQ_PRECISION_INT8 : SQ_PRECISION_AUTO;
}

int main(int argc, char **argv)
{
    struct sq_engine *opened = NULL;
    struct sq_session *session = NULL;
    struct sq_buf file = {0};
    struct sq_err err = {0};
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: bench_profile FOLDER FILE [auto|int8|fp32 [ISA]]\n");
        return 2;
    }
    const struct sq_engine_options options = {
        .model_path = argv[1], .precision = precision_of(argc > 3 ? argv[3] : "auto"), .isa = argc > 4 ? argv[4] : NULL};
    int status = sq_json_read_file(&file, argv[2], FILE_BYTES_MAX, SQ_E_IO, &err);
    if (status == 0) status = sq_engine_open(&opened, &options, &err);
    if (status == 0) status = sq_session_open(&session, opened, &err);
    status = status < 0 ? fail(&err) : profile(opened, session, &file);
    sq_session_close(session);
    sq_engine_close(opened);
    sq_buf_deinit(&file);
    return status;
}
