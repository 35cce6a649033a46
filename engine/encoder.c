/* SPDX-License-Identifier: Apache-2.0 */
/* All heads that read a text's classification from its first token need only that row of the last layer. There, keys and values are made
 * for all tokens, the rest for the first ones: a seventh of the work of six layers saved.
 *
 * OpenBLAS's kernels take rows in tiles, 12 at most, and sum up in another order in the smaller tiles that take what is left over. So that
 * a row's result depends less on how many rows follow it, kernels name a number that rows are made a multiple of (1 for our own
 * kernels, which need none); the rows added hold numbers that nobody looks at. */
#include "engine/encoder.h"

#include <string.h>

#include "engine/embedding.h"
#include "engine/head.h"

enum {
    BLOCK_ROWS = 96,        /* of the feed-forward part, whose widest rows stay in the second cache */
    ROWS_MULTIPLE_MAX = 12, /* of any kernels: what buffers have room for */
};

static size_t rounded(size_t rows, size_t multiple) { return (rows + multiple - 1) / multiple * multiple; }
static size_t with_padding(size_t rows) { return rounded(rows, ROWS_MULTIPLE_MAX); }
static size_t block_rows(size_t rows) { return rows < BLOCK_ROWS ? rows : BLOCK_ROWS; }

/* Hands every buffer its place and returns how many bytes they take; arena NULL only counts. */
static size_t place(struct sq_workspace *workspace, struct sq_arena *arena, const struct sq_model_config *config, size_t tokens_max,
                    size_t texts_max)
{
    const struct {
        float **buffer;
        size_t rows, width;
    } buffers[] = {
        {&workspace->x, with_padding(tokens_max), config->hidden},
        {&workspace->narrow, sq_model_config_projects(config) ? with_padding(tokens_max) : 0, config->embedding},
        {&workspace->qkv, with_padding(tokens_max), (size_t)3 * config->hidden},
        {&workspace->context, with_padding(tokens_max), config->hidden},
        {&workspace->up, block_rows(with_padding(tokens_max)), config->intermediate},
        {&workspace->first, with_padding(texts_max), config->hidden},
        {&workspace->query, with_padding(texts_max), config->hidden},
        {&workspace->scratch, 1, sq_attention_scratch_floats((unsigned)tokens_max, config->head_size)},
    };
    size_t total_bytes = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        size_t bytes = buffers[i].rows * buffers[i].width * sizeof(float);
        if (arena) *buffers[i].buffer = sq_arena_alloc(arena, bytes);
        total_bytes += (bytes + SQ_ARENA_ALIGN_BYTES - 1) & ~(size_t)(SQ_ARENA_ALIGN_BYTES - 1);
    }
    return total_bytes;
}

size_t sq_workspace_bytes(const struct sq_model_config *config, unsigned tokens_max, unsigned texts_max)
{
    struct sq_workspace unused;
    return place(&unused, NULL, config, tokens_max, texts_max);
}

int sq_workspace_init(struct sq_workspace *workspace, struct sq_arena *arena, const struct sq_model_config *config, unsigned tokens_max,
                      unsigned texts_max, struct sq_err *err)
{
    if (arena->capacity_bytes - arena->used_bytes < sq_workspace_bytes(config, tokens_max, texts_max))
        return sq_err_set(err, SQ_E_STATE, "the arena is smaller than sq_workspace_bytes says");
    place(workspace, arena, config, tokens_max, texts_max);
    return 0;
}

/* One pass's arguments, so that its steps read as sentences. */
struct pass {
    const struct sq_encoder *encoder;
    const struct sq_workspace *workspace;
    const struct sq_batch *batch;
    size_t hidden;
    size_t token_rows, text_rows; /* of the batch, padded */
};

/* out = in W^T + b, or that added to out; all three are rows of the pass's buffers. */
static void apply(const struct pass *pass, const struct sq_linear *linear, float *out, size_t out_stride, const float *in, size_t rows,
                  enum sq_linear_mode mode)
{
    pass->encoder->kernels->linear(out, out_stride, in, linear->inputs, rows, linear, mode);
}

static void norm(const struct pass *pass, const struct sq_norm_weights *weights, float *x, size_t rows)
{
    pass->encoder->kernels->layer_norm(x, rows, pass->hidden, weights->gamma, weights->beta, pass->encoder->config->layer_norm_eps);
}

static void clear_padding(const struct pass *pass, float *x, size_t rows, size_t padded_rows)
{
    memset(x + rows * pass->hidden, 0, (padded_rows - rows) * pass->hidden * sizeof *x);
}

static void activate(const struct pass *pass, float *x, size_t count)
{
    const struct sq_kernels *kernels = pass->encoder->kernels;
    switch (pass->encoder->config->activation) {
    case SQ_ACTIVATION_GELU_ERF: kernels->gelu_erf(x, count); break;
    case SQ_ACTIVATION_GELU_TANH: kernels->gelu_tanh(x, count); break;
    case SQ_ACTIVATION_RELU: kernels->relu(x, count); break;
    case SQ_ACTIVATION_TANH: break; /* a head's alone */
    }
}

/* x = norm(x + down(activate(up(x)))), a block of rows at a time. */
static void feed_forward(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows)
{
    float *up = pass->workspace->up;
    size_t intermediate = layer->up.outputs;
    for (size_t done = 0; done < rows; done += BLOCK_ROWS) {
        size_t block = block_rows(rows - done);
        float *block_x = x + done * pass->hidden;
        apply(pass, &layer->up, up, intermediate, block_x, block, SQ_LINEAR_SET);
        activate(pass, up, block * intermediate);
        apply(pass, &layer->down, block_x, pass->hidden, up, block, SQ_LINEAR_ADD);
        norm(pass, &layer->ffn_norm, block_x, block);
    }
}

/* What follows attention: x = norm(x + output(context)), then the feed-forward part. */
static void finish_layer(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows)
{
    apply(pass, &layer->output, x, pass->hidden, pass->workspace->context, rows, SQ_LINEAR_ADD);
    norm(pass, &layer->attention_norm, x, rows);
    feed_forward(pass, layer, x, rows);
}

/* query: the text's first query row. */
static void attend(const struct pass *pass, unsigned text, const float *query, size_t query_stride, unsigned queries, float *context)
{
    const struct sq_model_config *config = pass->encoder->config;
    const unsigned *starts = pass->batch->starts;
    size_t stride = 3 * pass->hidden;
    const float *bias = pass->encoder->weights->position_bias;
    const float *row = pass->workspace->qkv + starts[text] * stride;
    struct sq_attention attention = {
        .query = query,
        .query_stride = query_stride,
        .queries = queries,
        .key = row + pass->hidden,
        .value = row + 2 * pass->hidden,
        .key_stride = stride,
        .keys = starts[text + 1] - starts[text],
        .bias = bias ? bias + config->positions - 1 : NULL,
        .bias_stride = 2 * (size_t)config->positions - 1,
        .heads = config->heads,
        .head_size = config->head_size,
        .context = context,
        .context_stride = pass->hidden,
        .scratch = pass->workspace->scratch,
    };
    pass->encoder->kernels->attention(&attention);
}

/* Keys and values of all tokens, next to where their queries go. */
static void project_keys(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    size_t hidden = pass->hidden;
    apply(pass, &layer->key, workspace->qkv + hidden, 3 * hidden, workspace->x, pass->token_rows, SQ_LINEAR_SET);
    apply(pass, &layer->value, workspace->qkv + 2 * hidden, 3 * hidden, workspace->x, pass->token_rows, SQ_LINEAR_SET);
}

static void run_layer(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    const struct sq_batch *batch = pass->batch;
    size_t hidden = pass->hidden, stride = 3 * hidden;
    apply(pass, &layer->query, workspace->qkv, stride, workspace->x, pass->token_rows, SQ_LINEAR_SET);
    project_keys(pass, layer);
    for (unsigned text = 0; text < batch->texts_count; text++) {
        unsigned start = batch->starts[text];
        attend(pass, text, workspace->qkv + start * stride, stride, batch->starts[text + 1] - start, workspace->context + start * hidden);
    }
    finish_layer(pass, layer, workspace->x, pass->token_rows);
}

/* Leaves the result in workspace->first, a row a text. */
static void run_last_layer(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    const struct sq_batch *batch = pass->batch;
    size_t hidden = pass->hidden;
    for (unsigned text = 0; text < batch->texts_count; text++)
        memcpy(workspace->first + text * hidden, workspace->x + batch->starts[text] * hidden, hidden * sizeof(float));
    clear_padding(pass, workspace->first, batch->texts_count, pass->text_rows);
    apply(pass, &layer->query, workspace->query, hidden, workspace->first, pass->text_rows, SQ_LINEAR_SET);
    project_keys(pass, layer);
    for (unsigned text = 0; text < batch->texts_count; text++)
        attend(pass, text, workspace->query + text * hidden, hidden, 1, workspace->context + text * hidden);
    finish_layer(pass, layer, workspace->first, pass->text_rows);
}

void sq_encoder_run(const struct sq_encoder *encoder, const struct sq_workspace *workspace, const struct sq_batch *batch, float *outputs)
{
    size_t multiple = encoder->kernels->rows_multiple;
    const struct pass pass = {
        .encoder = encoder,
        .workspace = workspace,
        .batch = batch,
        .hidden = encoder->config->hidden,
        .token_rows = rounded(batch->tokens_count, multiple),
        .text_rows = rounded(batch->texts_count, multiple),
    };
    unsigned last = encoder->config->layers - 1;
    sq_embedding_run(encoder, batch, workspace->x, workspace->narrow, pass.token_rows);
    clear_padding(&pass, workspace->context, batch->tokens_count, pass.token_rows);
    for (unsigned layer = 0; layer < last; layer++) run_layer(&pass, &encoder->weights->layers[layer]);
    if (encoder->config->pooling == SQ_POOLING_MEAN) {
        run_layer(&pass, &encoder->weights->layers[last]);
        sq_head_mean(encoder, batch, workspace->x, outputs);
        return;
    }
    run_last_layer(&pass, &encoder->weights->layers[last]);
    sq_head_run(encoder, workspace->first, workspace->query, pass.text_rows, batch->texts_count, outputs);
}
