/* SPDX-License-Identifier: Apache-2.0 */
/* Products add to what is already in their output (beta 1). So a bias is written there first, and a residual is simply left there:
 * x + attention(x) and x + ffn(x) come about in x itself.
 *
 * All heads that read a text's classification from its first token need only that row of the last layer. There, keys and values are made
 * for all tokens, the rest for the first ones: a seventh of the work of six layers saved. */
#include "engine/encoder.h"

#include <math.h>
#include <string.h>

/* Rows of the feed-forward part that are done at once: enough for OpenBLAS, which packs the weights anew at every call. */
enum { BLOCK_ROWS = 256 };

static unsigned block_rows(unsigned rows) { return rows < BLOCK_ROWS ? rows : BLOCK_ROWS; }

/* Hands every buffer its place and returns how many bytes they take; arena NULL only counts. */
static size_t place(struct sq_workspace *workspace, struct sq_arena *arena, const struct sq_model_config *config, size_t tokens_max,
                    size_t texts_max)
{
    const struct {
        float **buffer;
        size_t rows, width;
    } buffers[] = {
        {&workspace->x, tokens_max, config->hidden},
        {&workspace->qkv, tokens_max, (size_t)3 * config->hidden},
        {&workspace->context, tokens_max, config->hidden},
        {&workspace->up, block_rows((unsigned)tokens_max), config->intermediate},
        {&workspace->first, texts_max, config->hidden},
        {&workspace->query, texts_max, config->hidden},
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
    *workspace = (struct sq_workspace){0};
    place(workspace, arena, config, tokens_max, texts_max);
    if (workspace->scratch) return 0; /* the last one got room, so all did */
    return sq_err_set(err, SQ_E_STATE, "the arena is smaller than sq_workspace_bytes says");
}

/* One pass's arguments, so that its steps read as sentences. */
struct pass {
    const struct sq_encoder *encoder;
    const struct sq_workspace *workspace;
    const struct sq_batch *batch;
    size_t hidden;
};

/* Each of `rows` rows of out becomes the bias. */
static void set_rows(float *out, size_t stride, size_t rows, const float *bias, size_t width)
{
    for (size_t row = 0; row < rows; row++) memcpy(out + row * stride, bias, width * sizeof *out);
}

static void add_rows(float *out, size_t rows, const float *bias, size_t width)
{
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < width; i++) out[row * width + i] += bias[i];
    }
}

static void norm(const struct pass *pass, float *x, size_t rows, const float *gamma, const float *beta)
{
    pass->encoder->kernels->layer_norm(x, rows, pass->hidden, gamma, beta, pass->encoder->config->layer_norm_eps);
}

/* x = norm(words[id] + positions[i]) */
static void embed(const struct pass *pass)
{
    const struct sq_weights *weights = pass->encoder->weights;
    const struct sq_batch *batch = pass->batch;
    float *row = pass->workspace->x;
    for (unsigned text = 0; text < batch->texts_count; text++) {
        const float *position = weights->positions;
        for (unsigned token = batch->starts[text]; token < batch->starts[text + 1]; token++) {
            const float *word = weights->words + (size_t)batch->ids[token] * pass->hidden;
            for (size_t i = 0; i < pass->hidden; i++) row[i] = word[i] + position[i];
            row += pass->hidden;
            position += pass->hidden;
        }
    }
    norm(pass, pass->workspace->x, batch->tokens_count, weights->embedding_gamma, weights->embedding_beta);
}

static void activate(const struct pass *pass, float *x, size_t rows, const float *bias)
{
    const struct sq_kernels *kernels = pass->encoder->kernels;
    size_t width = pass->encoder->config->intermediate;
    switch (pass->encoder->config->activation) {
    case SQ_ACTIVATION_GELU_ERF: kernels->gelu_erf(x, rows, width, bias); break;
    case SQ_ACTIVATION_GELU_TANH: kernels->gelu_tanh(x, rows, width, bias); break;
    case SQ_ACTIVATION_RELU: kernels->relu(x, rows, width, bias); break;
    }
}

/* x = norm(x + down(activate(up(x)))), a block of rows at a time so that what lies between stays small. */
static void feed_forward(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows)
{
    size_t hidden = pass->hidden, intermediate = pass->encoder->config->intermediate;
    float *up = pass->workspace->up;
    for (size_t done = 0; done < rows; done += BLOCK_ROWS) {
        size_t block = rows - done < BLOCK_ROWS ? rows - done : BLOCK_ROWS;
        float *rows_x = x + done * hidden;
        sq_matmul(up, intermediate, rows_x, hidden, layer->up_weight, block, intermediate, hidden, 0);
        activate(pass, up, block, layer->up_bias);
        add_rows(rows_x, block, layer->down_bias, hidden);
        sq_matmul(rows_x, hidden, up, intermediate, layer->down_weight, block, hidden, intermediate, 1);
        norm(pass, rows_x, block, layer->ffn_gamma, layer->ffn_beta);
    }
}

/* What follows attention: x = norm(x + output(context)), then the feed-forward part. */
static void finish_layer(const struct pass *pass, const struct sq_layer_weights *layer, float *x, size_t rows)
{
    size_t hidden = pass->hidden;
    add_rows(x, rows, layer->output_bias, hidden);
    sq_matmul(x, hidden, pass->workspace->context, hidden, layer->output_weight, rows, hidden, hidden, 1);
    norm(pass, x, rows, layer->attention_gamma, layer->attention_beta);
    feed_forward(pass, layer, x, rows);
}

/* query: the text's first query row. */
static void attend(const struct pass *pass, unsigned text, const float *query, size_t query_stride, unsigned queries, float *context)
{
    const struct sq_model_config *config = pass->encoder->config;
    const unsigned *starts = pass->batch->starts;
    size_t stride = 3 * pass->hidden;
    const float *row = pass->workspace->qkv + starts[text] * stride;
    struct sq_attention attention = {
        .query = query,
        .query_stride = query_stride,
        .queries = queries,
        .key = row + pass->hidden,
        .value = row + 2 * pass->hidden,
        .key_stride = stride,
        .keys = starts[text + 1] - starts[text],
        .heads = config->heads,
        .head_size = config->head_size,
        .context = context,
        .context_stride = pass->hidden,
        .scratch = pass->workspace->scratch,
    };
    pass->encoder->kernels->attention(&attention);
}

static void run_layer(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    const struct sq_batch *batch = pass->batch;
    size_t hidden = pass->hidden, stride = 3 * hidden;
    set_rows(workspace->qkv, stride, batch->tokens_count, layer->qkv_bias, stride);
    sq_matmul(workspace->qkv, stride, workspace->x, hidden, layer->qkv_weight, batch->tokens_count, stride, hidden, 1);
    for (unsigned text = 0; text < batch->texts_count; text++) {
        unsigned start = batch->starts[text];
        attend(pass, text, workspace->qkv + start * stride, stride, batch->starts[text + 1] - start, workspace->context + start * hidden);
    }
    finish_layer(pass, layer, workspace->x, batch->tokens_count);
}

/* Leaves the result in workspace->first, a row a text. */
static void run_last_layer(const struct pass *pass, const struct sq_layer_weights *layer)
{
    const struct sq_workspace *workspace = pass->workspace;
    const struct sq_batch *batch = pass->batch;
    size_t hidden = pass->hidden, stride = 3 * hidden;
    float *key = workspace->qkv + hidden;
    set_rows(key, stride, batch->tokens_count, layer->qkv_bias + hidden, 2 * hidden);
    sq_matmul(key, stride, workspace->x, hidden, layer->qkv_weight + hidden * hidden, batch->tokens_count, 2 * hidden, hidden, 1);
    for (unsigned text = 0; text < batch->texts_count; text++)
        memcpy(workspace->first + text * hidden, workspace->x + batch->starts[text] * hidden, hidden * sizeof(float));
    set_rows(workspace->query, hidden, batch->texts_count, layer->qkv_bias, hidden);
    sq_matmul(workspace->query, hidden, workspace->first, hidden, layer->qkv_weight, batch->texts_count, hidden, hidden, 1);
    for (unsigned text = 0; text < batch->texts_count; text++)
        attend(pass, text, workspace->query + text * hidden, hidden, 1, workspace->context + text * hidden);
    finish_layer(pass, layer, workspace->first, batch->texts_count);
}

/* BERT: tanh(pooler(first)); DistilBERT: relu(pre_classifier(first)). Then the classifier. */
static void classify(const struct pass *pass, float *logits)
{
    const struct sq_weights *weights = pass->encoder->weights;
    const struct sq_workspace *workspace = pass->workspace;
    size_t hidden = pass->hidden, rows = pass->batch->texts_count, labels = pass->encoder->config->labels_count;
    float *pooled = workspace->query;
    set_rows(pooled, hidden, rows, weights->pooler_bias, hidden);
    sq_matmul(pooled, hidden, workspace->first, hidden, weights->pooler_weight, rows, hidden, hidden, 1);
    bool is_bert = pass->encoder->config->architecture == SQ_ARCHITECTURE_BERT;
    for (size_t i = 0; i < rows * hidden; i++) pooled[i] = is_bert ? tanhf(pooled[i]) : fmaxf(pooled[i], 0.0f);
    set_rows(logits, labels, rows, weights->classifier_bias, labels);
    sq_matmul(logits, labels, pooled, hidden, weights->classifier_weight, rows, labels, hidden, 1);
}

void sq_encoder_run(const struct sq_encoder *encoder, const struct sq_workspace *workspace, const struct sq_batch *batch, float *logits)
{
    const struct pass pass = {encoder, workspace, batch, encoder->config->hidden};
    unsigned last = encoder->config->layers - 1;
    embed(&pass);
    for (unsigned layer = 0; layer < last; layer++) run_layer(&pass, &encoder->weights->layers[layer]);
    run_last_layer(&pass, &encoder->weights->layers[last]);
    classify(&pass, logits);
}
