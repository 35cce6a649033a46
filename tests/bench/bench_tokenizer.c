/* SPDX-License-Identifier: Apache-2.0 */
/* bench_tokenizer FOLDER FILE: how many lines of FILE a second the tokenizer of a model folder encodes on one thread.
 *
 * Whole passes for two seconds of CPU time after one to warm up; a line of JSON has the median and the best pass. Texts a second of
 * thread CPU time, so that a busy machine disturbs less. Token ids are cut to 512, as BERT-like models have positions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/tokenizer/tokenizer.h"

enum { TOKENS_MAX = 512, FILE_BYTES_MAX = 1 << 30, PASSES_MAX = 4096 };
static const uint64_t measured_ns = 2000000000;

struct bench {
    struct sq_tokenizer *tokenizer;
    struct sq_arena scratch;
    struct sq_buf file;
    size_t texts_count;
    uint64_t tokens_count;
};

static int fail(const struct sq_err *err)
{
    fprintf(stderr, "bench_tokenizer: %s\n", err->message);
    return 1;
}

/* One pass over all lines. */
static int pass(struct bench *bench, struct sq_err *err)
{
    int32_t ids[TOKENS_MAX];
    bool truncated;
    bench->texts_count = bench->tokens_count = 0;
    for (struct sq_str rest = sq_buf_view(&bench->file); rest.bytes > 0;) {
        const char *newline = memchr(rest.data, '\n', rest.bytes);
        struct sq_str line = {rest.data, newline ? (size_t)(newline - rest.data) : rest.bytes};
        size_t ids_count = 0, step = line.bytes + (newline ? 1 : 0);
        int status = sq_tokenizer_encode(bench->tokenizer, line, TOKENS_MAX, &bench->scratch, ids, &ids_count, &truncated, err);
        if (status) return status;
        bench->texts_count++;
        bench->tokens_count += ids_count;
        rest = (struct sq_str){rest.data + step, rest.bytes - step};
    }
    return 0;
}

static int compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int measure(struct bench *bench, struct sq_err *err)
{
    static uint64_t passes_ns[PASSES_MAX];
    size_t count = 0;
    int status = pass(bench, err);
    uint64_t start_ns = sq_clock_thread_cpu_ns(), now_ns = start_ns;
    while (status == 0 && count < PASSES_MAX && now_ns - start_ns < measured_ns) {
        status = pass(bench, err);
        uint64_t end_ns = sq_clock_thread_cpu_ns();
        passes_ns[count++] = end_ns - now_ns;
        now_ns = end_ns;
    }
    if (status || count == 0) return status;
    qsort(passes_ns, count, sizeof *passes_ns, compare);
    double texts = 1e9 * (double)bench->texts_count;
    printf("{\"texts\":%zu,\"tokens\":%" PRIu64 ",\"passes\":%zu,\"texts_per_second\":%.0f,\"best_texts_per_second\":%.0f}\n",
           bench->texts_count, bench->tokens_count, count, texts / (double)passes_ns[count / 2], texts / (double)passes_ns[0]);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct sq_err err = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: bench_tokenizer FOLDER FILE\n");
        return 2;
    }
    if (sq_json_read_file(&bench.file, argv[2], FILE_BYTES_MAX, SQ_E_IO, &err)) return fail(&err);
    if (sq_tokenizer_open(&bench.tokenizer, argv[1], SQ_NORMALISE_NONE, &err)) return fail(&err);
    if (sq_arena_init(&bench.scratch, sq_tokenizer_scratch_bytes(bench.tokenizer, bench.file.bytes), &err)) return fail(&err);
    int status = measure(&bench, &err);
    if (status) fail(&err);
    sq_arena_deinit(&bench.scratch);
    sq_tokenizer_close(bench.tokenizer);
    sq_buf_deinit(&bench.file);
    return status ? 1 : 0;
}
