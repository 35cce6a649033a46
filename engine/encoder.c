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
    BLOCK_ROWS = 56,        /* of the feed-forward part at most, whose widest rows stay in the second cache */
    SWEEP_ROWS = 4,         /* normalised and made operands while they are in the first cache */
    ROWS_MULTIPLE_MAX = 12, /* of any kernels: what buffers have room for */
};

static size_t rounded(size_t rows, size_t multiple) { return (rows + multiple - 1) / multiple * multiple; }
static size_t with_padding(size_t rows) { return rounded(rows, ROWS_MULTIPLE_MAX); }
static size_t block_rows(size_t rows) { return rows < BLOCK_ROWS ? rows : BLOCK_ROWS; }

/* Queries, keys and values lie side by side, each from a whole panel on. */
static size_t part_width(const struct sq_model_config *config) { return sq_linear_padded(config->hidden); }

/* Hands every buffer its place and returns how many bytes they take; arena NULL only counts. */
static size_t place(struct sq_workspace *workspace, struct sq_arena *arena, const struct sq_model_config *config, size_t tokens_max,
                    size_t texts_max)
{
    size_t tokens = with_padding(tokens_max), texts = with_padding(texts_max), block = block_rows(tokens);
    size_t inputs_bytes = sq_operand_bytes_max(config->hidden), inner_bytes = sq_operand_bytes_max(config->intermediate);
    const struct {
        void *buffer; /* a pointer in *workspace */
        size_t bytes;
    } buffers[] = {
        {&workspace->x, tokens * config->hidden * sizeof(float)},
        {&workspace->narrow, sq_model_config_projects(config) ? tokens * config->embedding * sizeof(float) : 0},
        {&workspace->qkv, (tokens * 3 * part_width(config) + SQ_PANEL_MAX) * sizeof(float)},
        {&workspace->context, tokens * config->hidden * sizeof(float)},
        {&workspace->up, block * config->intermediate * sizeof(float)},
        {&workspace->first, texts * config->hidden * sizeof(float)},
        {&workspace->query, texts * part_width(config) * sizeof(float)},
        {&workspace->scratch, sq_attention_scratch_floats((unsigned)tokens_max, config->head_size) * sizeof(float)},
        {&workspace->inputs.rows, tokens * inputs_bytes},
        {&workspace->inputs.scales, tokens * sizeof(float)},
        {&workspace->inputs.offsets, tokens * sizeof(float)},
        {&workspace->inner.rows, block * inner_bytes},
        {&workspace->inner.scales, block * sizeof(float)},
        {&workspace->inner.offsets, block * sizeof(float)},
    };
    size_t total_bytes = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
        if (arena) *(void **)buffers[i].buffer = sq_arena_alloc(arena, buffers[i].bytes);
        total_bytes += (buffers[i].bytes + SQ_ARENA_ALIGN_BYTES - 1) & ~(size_t)(SQ_ARENA_ALIGN_BYTES - 1);
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
    size_t part; /* hidden in whole panels */
    size_t token_rows, text_rows; /* of the batch, padded */
};

/* The operand that `next` takes: rows [first, first + rows) of x. */
static struct sq_operand make_inputs(const struct pass *pass, const struct sq_linear *next, const float *x, size_t first, size_t rows)
{
    struct sq_operand_space space = sq_operand_space_from(next, &pass->workspace->inputs, first);
    return sq_operand_make(next, &space, x + first * pass->hidden, pass->hidden, rows);
}

/* All rows from the first on, made before. */
static struct sq_operand inputs_from(const struct pass *pass, const struct sq_linear *next, const float *x, size_t first)
{
    return make_inputs(pass, next, x, first, 0);
}

/* Rows [first, first + rows) of x = norm(x), and as the inputs of `next` unless that is NULL, both in one sweep. */
static void norm(const struct pass *pass, const struct sq_norm_weights *weights, float *x, size_t first, size_t rows, const struct sq_linear *next)
{
    for (size_t row = first; row < first + rows; row += SWEEP_ROWS) {
        size_t height = first + rows - row < SWEEP_ROWS ? first + rows - row : SWEEP_ROWS;
        pass->encoder->kernels->vector->layer_norm(x + row * pass->hidden, height, pass->hidden, weights->gamma, weights->beta,
                                                   pass->encoder->config->layer_norm_eps);
        if (next) make_inputs(pass, next, x, row, height);
    }
}

static void clear_padding(const struct pass *pass, float *x, size_t rows, size_t padded_rows)
{
    memset(x + rows * pass->hidden, 0, (padded_rows - rows) * pass->hidden * sizeof *x);
}

static void activate(const struct pass *pass, float *x, size_t count)
{
    const struct sq_vector *vector = pass->encoder->kernels->vector;
    switch (pass->encoder->config->activation) {
    case SQ_ACTIVATION_GELU_ERF: vector->gelu_erf(x, count); break;
    case SQ_ACTIVATION_GELU_TANH: vector->gelu_tanh(x, count); break;
    case SQ_ACTIVATION_RELU: vector->relu(x, count); break;
    case SQ_ACTIVATION_TANH: break; /* a head's alone */
    }
}

/* The activated rows of a block as the inputs of `down`, a row at a time, which stays in the first cache meanwhile. */
static struct sq_operand make_inner(const struct pass *pass, const struct sq_linear *down, float *up, size_t rows)
{
    for (size_t row = 0; row < rows; row++) {
        struct sq_operand_space space = sq_operand_space_from(down, &pass->workspace->inner, row);
        activate(pass, up + row * down->inputs, down->inputs);
        sq_operand_make(down, &space, up + row * down->inputs, down->inputs, 1);
    }
    return sq_operand_make(down, &pass->workspace->inner, up, down->inputs, 0);
}

/* How many of the rows to come are the next block's: even shares, since each block streams all weights, however low it is. */
static size_t next_block(const struct pass *pass, size_t rows)
{
    size_t multiple = pass->encoder->kernels->rows_multiple, most = BLOCK_ROWS / multiple * multiple, blocks = (rows + most - 1) / most;
    return rounded((rows + blocks - 1) / blocks, multiple);
}

/* x = norm(x + down(activate(up(x)))), a block of rows at a time. */
static void feed_forward(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows, const struct sq_linear *next)
{
    float *up = pass->workspace->up;
    for (size_t done = 0, block; done < rows; done += block) {
        block = next_block(pass, rows - done);
        struct sq_operand operand = inputs_from(pass, &layer->up, x, done);
        sq_linear_apply(&layer->up, 0, layer->up.outputs, up, layer->up.outputs, &operand, block, SQ_LINEAR_SET);
        operand = make_inner(pass, &layer->down, up, block);
        sq_linear_apply(&layer->down, 0, pass->hidden, x + done * pass->hidden, pass->hidden, &operand, block, SQ_LINEAR_ADD);
        norm(pass, &layer->ffn_norm, x, done, block, next);
    }
}

/* What follows attention: x = norm(x + output(context)), then the feed-forward part, then the inputs of `next`. */
static void finish_layer(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows, const struct sq_linear *next)
{
    struct sq_operand operand = make_inputs(pass, &layer->output, pass->workspace->context, 0, rows);
    sq_linear_apply(&layer->output, 0, pass->hidden, x, pass->hidden, &operand, rows, SQ_LINEAR_ADD);
    norm(pass, &layer->attention_norm, x, 0, rows, &layer->up);
    feed_forward(pass, layer, x, rows, next);
}

/* query: the text's first query row. */
static void attend(const struct pass *pass, unsigned text, const float *query, size_t query_stride, unsigned queries, float *context)
{
    const struct sq_model_config *config = pass->encoder->config;
    const unsigned *starts = pass->batch->starts;
    const float *bias = pass->encoder->weights->position_bias;
    const float *row = pass->workspace->qkv + starts[text] * 3 * pass->part;
    const struct sq_attention attention = {
        .query = query,
        .query_stride = query_stride,
        .queries = queries,
        .key = row + pass->part,
        .value = row + 2 * pass->part,
        .key_stride = 3 * pass->part,
        .keys = starts[text + 1] - starts[text],
        .bias = bias ? bias + config->positions - 1 : NULL,
        .bias_stride = 2 * (size_t)config->positions - 1,
        .heads = config->heads,
        .head_size = config->head_size,
        .context = context,
        .context_stride = pass->hidden,
        .scratch = pass->workspace->scratch,
    };
    sq_attention_run(pass->encoder->kernels, &attention);
}

/* `next`: what the layer's result is the input of. */
static void run_layer(const struct pass *pass, const struct sq_layer_weights *layer, const struct sq_linear *next)
{
    const struct sq_workspace *workspace = pass->workspace;
    const unsigned *starts = pass->batch->starts;
    size_t stride = 3 * pass->part;
    struct sq_operand operand = inputs_from(pass, &layer->qkv, workspace->x, 0);
    sq_linear_apply(&layer->qkv, 0, stride, workspace->qkv, stride, &operand, pass->token_rows, SQ_LINEAR_SET);
    for (unsigned text = 0; text < pass->batch->texts_count; text++) {
        unsigned start = starts[text];
        attend(pass, text, workspace->qkv + start * stride, stride, starts[text + 1] - start, workspace->context + start * pass->hidden);
    }
    finish_layer(pass, layer, workspace->x, pass->token_rows, next);
}

/* Leaves the result in workspace->first, a row a text. */
static void run_last_layer(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    const struct sq_batch *batch = pass->batch;
    size_t hidden = pass->hidden, part = pass->part;
    for (unsigned text = 0; text < batch->texts_count; text++)
        memcpy(workspace->first + text * hidden, workspace->x + batch->starts[text] * hidden, hidden * sizeof(float));
    clear_padding(pass, workspace->first, batch->texts_count, pass->text_rows);
    struct sq_operand operand = inputs_from(pass, &layer->qkv, workspace->x, 0);
    sq_linear_apply(&layer->qkv, part, 2 * part, workspace->qkv + part, 3 * part, &operand, pass->token_rows, SQ_LINEAR_SET);
    operand = make_inputs(pass, &layer->qkv, workspace->first, 0, pass->text_rows);
    sq_linear_apply(&layer->qkv, 0, part, workspace->query, part, &operand, pass->text_rows, SQ_LINEAR_SET);
    for (unsigned text = 0; text < batch->texts_count; text++)
        attend(pass, text, workspace->query + text * part, part, 1, workspace->context + text * hidden);
    finish_layer(pass, layer, workspace->first, pass->text_rows, NULL);
}

void sq_encoder_run(const struct sq_encoder *encoder, const struct sq_workspace *workspace, const struct sq_batch *batch, float *outputs)
{
    const struct sq_layer_weights *layers = encoder->weights->layers;
    size_t multiple = encoder->kernels->rows_multiple;
    const struct pass pass = {
        .encoder = encoder,
        .workspace = workspace,
        .batch = batch,
        .hidden = encoder->config->hidden,
        .part = part_width(encoder->config),
        .token_rows = rounded(batch->tokens_count, multiple),
        .text_rows = rounded(batch->texts_count, multiple),
    };
    unsigned last = encoder->config->layers - 1;
    sq_embedding_run(encoder, batch, workspace->x, workspace->narrow, pass.token_rows);
    make_inputs(&pass, &layers[0].qkv, workspace->x, 0, pass.token_rows);
    clear_padding(&pass, workspace->context, batch->tokens_count, pass.token_rows);
    for (unsigned layer = 0; layer < last; layer++) run_layer(&pass, &layers[layer], &layers[layer + 1].qkv);
    if (encoder->config->pooling == SQ_POOLING_MEAN) {
        run_layer(&pass, &layers[last], NULL);
        sq_head_mean(encoder, batch, workspace->x, outputs);
        return;
    }
    run_last_layer(&pass, &layers[last]);
    sq_head_run(encoder, workspace->first, workspace->query, pass.text_rows, batch->texts_count, outputs);
}
