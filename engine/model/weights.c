/* SPDX-License-Identifier: Apache-2.0 */
/* Loading goes over the model's tensors three times: find each and compare its shape, give each its place, read.
 *
 * What tensors there are follows from the architecture's row and from config.json; for_each_tensor is the one list of them. Names come
 * with the prefix of the class ("bert.") or, from some tools, without. Tensors that nobody asks for (position_ids, a pre-training head)
 * are ignored. */
#include "engine/model/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine/base/buf.h"
#include "engine/model/checkpoint.h"
#include "engine/model/dtype.h"
#include "engine/model/position_bias.h"

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024, NAME_BYTES = 192, PROBLEMS_SHOWN_MAX = 8, ALIGN_BYTES = 64 };

static const char words_name[] = "embeddings.word_embeddings.weight";

enum kind {
    KIND_WORDS,         /* rows are looked up; stays as it is */
    KIND_TABLE,         /* likewise, in fp32 */
    KIND_VECTOR,        /* one dimension */
    KIND_MATRIX,        /* of a product: packed */
    KIND_BIAS,          /* of a product: added to what packing put there */
    KIND_TOKEN_TYPES,   /* every token is of type 0, so that row is added to all positions; keeps no memory */
    KIND_POSITION_BIAS, /* by bucket; kept by distance */
};

/* Where a module of the file goes: some product's outputs from `first` on. */
struct part {
    struct sq_linear *linear;
    size_t first;
    bool is_last;  /* the product is complete with it */
    bool is_query; /* to be multiplied by 1 / sqrt(head_size), once at load instead of at every score */
    const struct sq_spread *spread; /* of the product's inputs, for int8; NULL: taken as they come */
};

/* One tensor of the file and what it fills. */
struct slot {
    const char *name;
    float **field;
    enum kind kind;
    size_t rows, columns; /* columns 0: one dimension */
    const struct part *part; /* KIND_MATRIX and KIND_BIAS */
};

struct loader {
    struct sq_weights *weights;
    struct sq_model_config *config;
    const struct sq_kernels *kernels;
    const struct sq_precision_plan *plan;
    const struct sq_calibration *calibration; /* NULL: none */
    bool is_calibrated;                       /* also where a block is lent that was made with one */
    struct sq_checkpoint checkpoint;
    const char *prefix;       /* of the names in this file: "bert." or "" */
    struct sq_buf problems;   /* missing and misshapen tensors, one a line */
    unsigned problems_count;
    float *staged;            /* owned: a tensor as the file has it, when it is not kept so; room for the largest */
    size_t staged_count;
    struct sq_err *err;
};

typedef int (*slot_fn)(struct loader *loader, const struct slot *slot);

/* ---- the list ---- */

static int visit_linear(struct loader *loader, slot_fn visit, const char *module, const struct part *part, size_t outputs, size_t inputs)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.weight", module);
    int status = visit(loader, &(struct slot){name, NULL, KIND_MATRIX, outputs, inputs, part});
    snprintf(name, sizeof name, "%s.bias", module);
    return status < 0 ? status : visit(loader, &(struct slot){name, NULL, KIND_BIAS, outputs, 0, part});
}

/* A product of its own, in fp32. */
static int visit_float_linear(struct loader *loader, slot_fn visit, const char *module, struct sq_linear *linear, size_t outputs, size_t inputs)
{
    linear->rung = sq_kernels_fp32(loader->kernels);
    linear->outputs = outputs;
    linear->inputs = inputs;
    return visit_linear(loader, visit, module, &(struct part){.linear = linear, .is_last = true}, outputs, inputs);
}

static int visit_norm(struct loader *loader, slot_fn visit, const char *module, struct sq_norm_weights *norm, size_t width)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.weight", module);
    int status = visit(loader, &(struct slot){name, &norm->gamma, KIND_VECTOR, width, 0, NULL});
    snprintf(name, sizeof name, "%s.bias", module);
    return status < 0 ? status : visit(loader, &(struct slot){name, &norm->beta, KIND_VECTOR, width, 0, NULL});
}

static void set_product(struct sq_linear *linear, const struct sq_rung *rung, size_t outputs, size_t inputs)
{
    linear->rung = rung;
    linear->outputs = outputs;
    linear->inputs = inputs;
}

static const struct sq_spread unknown_spread;

static int visit_layer(struct loader *loader, slot_fn visit, unsigned number)
{
    const struct sq_layer_names *names = loader->config->architecture->layer;
    const struct sq_rung *const *rungs = loader->plan->rungs[number];
    struct sq_layer_weights *layer = &loader->weights->layers[number];
    const struct sq_spread *qkv = loader->calibration ? &loader->calibration->qkv[number] : &unknown_spread;
    const struct sq_spread *up = loader->calibration ? &loader->calibration->up[number] : &unknown_spread;
    size_t hidden = loader->config->hidden, intermediate = loader->config->intermediate, width = sq_linear_padded(hidden);
    const struct {
        const char *module;
        struct part part;
        struct sq_norm_weights *norm; /* instead of a part */
        size_t outputs, inputs;
    } modules[] = {
        {names->query, {&layer->qkv, 0, false, true, qkv}, NULL, hidden, hidden},
        {names->key, {&layer->qkv, width, false, false, qkv}, NULL, hidden, hidden},
        {names->value, {&layer->qkv, 2 * width, true, false, qkv}, NULL, hidden, hidden},
        {names->output, {&layer->output, 0, true, false, NULL}, NULL, hidden, hidden},
        {names->attention_norm, {0}, &layer->attention_norm, hidden, 0},
        {names->up, {&layer->up, 0, true, false, up}, NULL, intermediate, hidden},
        {names->down, {&layer->down, 0, true, false, NULL}, NULL, hidden, intermediate},
        {names->ffn_norm, {0}, &layer->ffn_norm, hidden, 0},
    };
    set_product(&layer->qkv, rungs[SQ_PRODUCT_QKV], 3 * width, hidden);
    set_product(&layer->output, rungs[SQ_PRODUCT_OUTPUT], hidden, hidden);
    set_product(&layer->up, rungs[SQ_PRODUCT_UP], intermediate, hidden);
    set_product(&layer->down, rungs[SQ_PRODUCT_DOWN], hidden, intermediate);
    int status = 0;
    for (size_t i = 0; status == 0 && i < sizeof modules / sizeof *modules; i++) {
        char module[NAME_BYTES - 8];
        snprintf(module, sizeof module, "%s%s%u%s%s", loader->prefix, names->prefix, number, names->infix, modules[i].module);
        if (modules[i].norm) status = visit_norm(loader, visit, module, modules[i].norm, modules[i].outputs);
        else status = visit_linear(loader, visit, module, &modules[i].part, modules[i].outputs, modules[i].inputs);
    }
    return status;
}

/* A tensor outside the layers and the head. */
static int visit_table(struct loader *loader, slot_fn visit, const char *table, float **field, enum kind kind, size_t rows, size_t columns)
{
    char name[NAME_BYTES];
    if (rows == 0) return 0; /* this model has none */
    snprintf(name, sizeof name, "%s%s", loader->prefix, table);
    return visit(loader, &(struct slot){name, field, kind, rows, columns, NULL});
}

static int visit_embeddings(struct loader *loader, slot_fn visit)
{
    const struct sq_model_config *config = loader->config;
    struct sq_weights *weights = loader->weights;
    char module[NAME_BYTES - 8];
    int status = visit_table(loader, visit, words_name, NULL, KIND_WORDS, config->vocabulary, config->embedding);
    if (status == 0)
        status = visit_table(loader, visit, "embeddings.position_embeddings.weight", &weights->positions, KIND_TABLE, config->position_rows,
                             config->embedding);
    if (status == 0)
        status = visit_table(loader, visit, "embeddings.token_type_embeddings.weight", NULL, KIND_TOKEN_TYPES, config->token_types,
                             config->embedding);
    snprintf(module, sizeof module, "%sembeddings.LayerNorm", loader->prefix);
    if (status == 0) status = visit_norm(loader, visit, module, &weights->embedding_norm, config->embedding);
    if (status < 0 || !sq_model_config_projects(config)) return status;
    snprintf(module, sizeof module, "%s%s", loader->prefix, config->architecture->projection);
    return visit_float_linear(loader, visit, module, &weights->projection, config->hidden, config->embedding);
}

static int visit_head(struct loader *loader, slot_fn visit)
{
    const struct sq_head_names *names = loader->config->architecture->head;
    struct sq_weights *weights = loader->weights;
    size_t hidden = loader->config->hidden;
    char module[NAME_BYTES - 8];
    if (loader->config->task != SQ_TASK_CLASSIFY) return 0;
    snprintf(module, sizeof module, "%s%s", names->pooler_is_inside ? loader->prefix : "", names->pooler);
    int status = visit_float_linear(loader, visit, module, &weights->pooler, hidden, hidden);
    return status < 0 ? status
                      : visit_float_linear(loader, visit, names->classifier, &weights->classifier, loader->config->labels_count, hidden);
}

/* Calls `visit` for every tensor of the model; stops at the first failure. */
static int for_each_tensor(struct loader *loader, slot_fn visit)
{
    const struct sq_model_config *config = loader->config;
    int status = visit_embeddings(loader, visit);
    if (status == 0)
        status = visit_table(loader, visit, config->architecture->position_bias, &loader->weights->position_bias, KIND_POSITION_BIAS,
                             config->bias_buckets, config->heads);
    for (unsigned layer = 0; status == 0 && layer < config->stored_layers; layer++) status = visit_layer(loader, visit, layer);
    return status < 0 ? status : visit_head(loader, visit);
}

/* ---- the check ---- */

static void add_problem(struct loader *loader, const char *name, const char *problem)
{
    loader->problems_count++;
    if (loader->problems_count <= PROBLEMS_SHOWN_MAX) sq_buf_printf(&loader->problems, "\n  %s: %s", name, problem);
}

static void describe_shape(const struct sq_tensor *tensor, char text[96])
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < tensor->rank && used < 80; i++)
        used += (size_t)snprintf(text + used, 96 - used, "%s%" PRIu64, i ? ", " : "", tensor->shape[i]);
}

static int check_slot(struct loader *loader, const struct slot *slot)
{
    char given[96], problem[256];
    const struct sq_tensor *tensor = sq_checkpoint_find(&loader->checkpoint, slot->name);
    if (!tensor) {
        add_problem(loader, slot->name, "missing");
        return 0;
    }
    unsigned rank = slot->columns ? 2 : 1;
    if (tensor->rank == rank && tensor->shape[0] == slot->rows && (rank == 1 || tensor->shape[1] == slot->columns)) return 0;
    describe_shape(tensor, given);
    if (rank == 1) snprintf(problem, sizeof problem, "shape [%s], config.json asks for [%zu]", given, slot->rows);
    else snprintf(problem, sizeof problem, "shape [%s], config.json asks for [%zu, %zu]", given, slot->rows, slot->columns);
    add_problem(loader, slot->name, problem);
    return 0;
}

static void choose_prefix(struct loader *loader)
{
    char name[NAME_BYTES];
    loader->prefix = loader->config->architecture->prefix;
    snprintf(name, sizeof name, "%s%s", loader->prefix, words_name);
    if (!sq_checkpoint_find(&loader->checkpoint, name) && sq_checkpoint_find(&loader->checkpoint, words_name)) loader->prefix = "";
}

/* The classifier's rows are the labels. */
static int count_labels(struct loader *loader)
{
    char name[NAME_BYTES];
    if (loader->config->task != SQ_TASK_CLASSIFY) return 0;
    snprintf(name, sizeof name, "%s.weight", loader->config->architecture->head->classifier);
    const struct sq_tensor *classifier = sq_checkpoint_find(&loader->checkpoint, name);
    if (!classifier || classifier->rank != 2) return 0; /* check_slot will tell */
    unsigned rows = classifier->shape[0] <= SQ_LABELS_MAX ? (unsigned)classifier->shape[0] : SQ_LABELS_MAX + 1;
    return sq_model_config_set_labels_count(loader->config, rows, loader->err);
}

static int check_all(struct loader *loader)
{
    int status = count_labels(loader);
    if (status < 0) return sq_err_prefix(loader->err, "%s: ", loader->checkpoint.path);
    for_each_tensor(loader, check_slot);
    if (loader->problems_count == 0) return 0;
    if (loader->problems_count > PROBLEMS_SHOWN_MAX)
        sq_buf_printf(&loader->problems, "\n  and %u more", loader->problems_count - PROBLEMS_SHOWN_MAX);
    return sq_err_set(loader->err, SQ_E_MODEL_FILE, "%s: %u tensors are missing or have the wrong shape for a %s:%s", loader->checkpoint.path,
                      loader->problems_count, sq_model_config_class(loader->config), loader->problems.data);
}

/* ---- places ---- */

static size_t values_count(const struct slot *slot) { return slot->rows * (slot->columns ? slot->columns : 1); } /* below 2^36: config.h */

/* What the slot takes in the block, from one cache line to the next; a product has its place with its first tensor. */
static size_t placed_bytes(const struct loader *loader, const struct slot *slot)
{
    size_t bytes = values_count(slot) * sizeof(float);
    if (slot->kind == KIND_TOKEN_TYPES || slot->kind == KIND_BIAS) return 0;
    if (slot->kind == KIND_WORDS) bytes = slot->rows * loader->weights->words_row_bytes;
    if (slot->kind == KIND_POSITION_BIAS) bytes = sq_position_bias_count(loader->config->heads, loader->config->positions) * sizeof(float);
    if (slot->kind == KIND_MATRIX) {
        const struct sq_linear *linear = slot->part->linear;
        return slot->part->first == 0 ? sq_linear_bytes(linear->rung, linear->outputs, linear->inputs) : 0;
    }
    return (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
}

static size_t product_count(const struct part *part) { return part->linear->outputs * part->linear->inputs; }

/* What the slot asks of the staging buffer. A matrix waits there for its product's other parts; biases are read behind it. */
static size_t staged_count(const struct slot *slot)
{
    if (slot->kind == KIND_WORDS || slot->kind == KIND_TABLE || slot->kind == KIND_VECTOR) return 0;
    return slot->part ? product_count(slot->part) + slot->part->linear->outputs : values_count(slot);
}

static int sum_slot(struct loader *loader, const struct slot *slot)
{
    if (staged_count(slot) > loader->staged_count) loader->staged_count = staged_count(slot);
    if (__builtin_add_overflow(loader->weights->bytes, placed_bytes(loader, slot), &loader->weights->bytes))
        return sq_err_set(loader->err, SQ_E_MODEL_FILE, "config.json: the model is too large");
    return 0;
}

static int place_slot(struct loader *loader, const struct slot *slot)
{
    unsigned char *at = loader->weights->block + loader->weights->bytes;
    if (slot->field) *slot->field = (float *)(void *)at;
    if (slot->kind == KIND_WORDS) loader->weights->words = at;
    if (slot->kind == KIND_MATRIX && slot->part->first == 0) sq_linear_place(slot->part->linear, at, loader->is_calibrated && slot->part->spread != NULL);
    loader->weights->bytes += placed_bytes(loader, slot);
    return 0;
}

static int place_all(struct loader *loader)
{
    loader->weights->bytes = 0;
    return for_each_tensor(loader, place_slot);
}

/* Huge pages where the kernel gives them: the pass streams all of it again and again. */
static int allocate(struct loader *loader)
{
    struct sq_weights *weights = loader->weights;
    int status = for_each_tensor(loader, sum_slot);
    if (status < 0) return status;
    size_t bytes = (weights->bytes + HUGE_PAGE_BYTES - 1) & ~(size_t)(HUGE_PAGE_BYTES - 1);
    weights->block = aligned_alloc(HUGE_PAGE_BYTES, bytes);
    if (!weights->block) return sq_err_set(loader->err, SQ_E_NOMEM, "no memory for %zu bytes of weights", bytes);
    madvise(weights->block, bytes, MADV_HUGEPAGE);
    memset(weights->block, 0, bytes);
    loader->staged = malloc(loader->staged_count * sizeof *loader->staged);
    if (!loader->staged) return sq_err_set(loader->err, SQ_E_NOMEM, "no memory to read a matrix");
    return place_all(loader);
}

/* ---- reading ---- */

static void scale_query(const struct loader *loader, float *values, size_t count)
{
    float scale = 1.0f / sqrtf((float)loader->config->head_size);
    for (size_t i = 0; i < count; i++) values[i] *= scale;
}

static void add_token_type(const struct loader *loader, const float *type)
{
    float *position = loader->weights->positions;
    for (size_t row = 0; row < loader->config->position_rows; row++, position += loader->config->embedding) {
        for (size_t i = 0; i < loader->config->embedding; i++) position[i] += type[i];
    }
}

/* An input's mean is taken off, and its range divided by the root of its spread. With the whole spread all inputs would be alike and a byte's
 * 256 steps serve each as well; half of it leaves more steps to inputs that count for more. */
static void set_smoothing(const struct part *part)
{
    const float gain_max = 1e3f;
    struct sq_linear *linear = part->linear;
    for (size_t i = 0; i < linear->inputs; i++) {
        float mean = part->spread->means[i], spread = sqrtf(part->spread->deviations[i]);
        bool is_known = isfinite(mean) && isfinite(spread);
        linear->gain[i] = !is_known ? 1 : spread > 1 / gain_max ? 1 / spread : gain_max;
        linear->shift[i] = is_known ? -mean * linear->gain[i] : 0;
    }
}

static void add_bias(const struct part *part, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) part->linear->bias[part->first + i] += values[i];
}

/* Once all parts of a product are staged. */
static void pack(const struct loader *loader, const struct part *part)
{
    if (part->linear->gain) set_smoothing(part);
    sq_linear_pack(part->linear, loader->staged);
}

/* Where the slot's values are read to. */
static float *destination(const struct loader *loader, const struct slot *slot)
{
    if (slot->kind == KIND_TABLE || slot->kind == KIND_VECTOR) return *slot->field;
    if (!slot->part) return loader->staged;
    if (slot->kind == KIND_BIAS) return loader->staged + product_count(slot->part);
    if (slot->part->first == 0) memset(loader->staged, 0, product_count(slot->part) * sizeof *loader->staged);
    return loader->staged + slot->part->first * slot->columns;
}

static int read_slot(struct loader *loader, const struct slot *slot)
{
    const struct sq_model_config *config = loader->config;
    const struct sq_tensor *tensor = sq_checkpoint_find(&loader->checkpoint, slot->name);
    if (slot->kind == KIND_WORDS) return sq_checkpoint_read_kept(&loader->checkpoint, tensor, loader->weights->words, loader->err);
    float *values = destination(loader, slot);
    int status = sq_checkpoint_read(&loader->checkpoint, tensor, values, loader->err);
    if (status < 0) return status;
    if (slot->part && slot->part->is_query) scale_query(loader, values, values_count(slot));
    if (slot->kind == KIND_MATRIX && slot->part->is_last) pack(loader, slot->part);
    if (slot->kind == KIND_BIAS) add_bias(slot->part, values, slot->rows);
    if (slot->kind == KIND_TOKEN_TYPES) add_token_type(loader, values);
    if (slot->kind == KIND_POSITION_BIAS) sq_position_bias_fill(*slot->field, values, config->heads, config->positions);
    return 0;
}

/* Layer i uses group i * groups / layers; from the last down, so that none is overwritten before it is used. */
static void share_layers(struct loader *loader)
{
    struct sq_layer_weights *layers = loader->weights->layers;
    unsigned count = loader->config->layers, groups = loader->config->stored_layers;
    for (unsigned i = count; i-- > 0;) layers[i] = layers[i * groups / count];
}

/* Once the tensors are checked. */
static const struct sq_dtype *words_dtype(const struct loader *loader)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s%s", loader->prefix, words_name);
    return sq_checkpoint_find(&loader->checkpoint, name)->dtype;
}

static void set_words_type(struct loader *loader, const struct sq_dtype *dtype)
{
    struct sq_weights *weights = loader->weights;
    weights->dtype = dtype->name;
    weights->words_type = dtype->table;
    weights->words_row_bytes = loader->config->embedding * (size_t)dtype->bits / 8;
}

static int load(struct loader *loader)
{
    choose_prefix(loader);
    int status = check_all(loader);
    if (status < 0) return status;
    set_words_type(loader, words_dtype(loader));
    status = allocate(loader);
    if (status == 0) status = for_each_tensor(loader, read_slot);
    if (status < 0) return status;
    share_layers(loader);
    return 0;
}

int sq_weights_open(struct sq_weights *weights, struct sq_model_config *config, const struct sq_kernels *kernels,
                    const struct sq_precision_plan *plan, const struct sq_calibration *calibration, const char *model_path, struct sq_err *err)
{
    *weights = (struct sq_weights){0};
    struct loader loader = {.weights = weights, .config = config, .kernels = kernels, .plan = plan, .calibration = calibration,
                            .is_calibrated = calibration != NULL, .err = err};
    int status = sq_checkpoint_open(&loader.checkpoint, model_path, err);
    if (status < 0) return status;
    sq_buf_init(&loader.problems);
    status = load(&loader);
    sq_buf_deinit(&loader.problems);
    free(loader.staged);
    sq_checkpoint_close(&loader.checkpoint);
    if (status < 0) sq_weights_close(weights);
    return status;
}

struct sq_linear *sq_weights_product(struct sq_layer_weights *layer, enum sq_product product)
{
    struct sq_linear *const products[SQ_PRODUCTS] = {
        [SQ_PRODUCT_QKV] = &layer->qkv, [SQ_PRODUCT_OUTPUT] = &layer->output, [SQ_PRODUCT_UP] = &layer->up, [SQ_PRODUCT_DOWN] = &layer->down};
    return products[product];
}

void sq_weights_close(struct sq_weights *weights)
{
    if (!weights->is_lent) free(weights->block);
    *weights = (struct sq_weights){0};
}

/* ---- a block made before ---- */

void sq_weights_facts(struct sq_weights_facts *facts, const struct sq_weights *weights, const struct sq_model_config *config)
{
    *facts = (struct sq_weights_facts){.labels_count = config->task == SQ_TASK_CLASSIFY ? config->labels_count : 0};
    snprintf(facts->dtype, sizeof facts->dtype, "%s", weights->dtype);
}

static const struct sq_dtype *find_words_dtype(const struct sq_weights_facts *facts)
{
    if (!memchr(facts->dtype, '\0', sizeof facts->dtype)) return NULL;
    const struct sq_dtype *dtype = sq_dtype_find(facts->dtype);
    return dtype && dtype->convert ? dtype : NULL;
}

static int lend(struct loader *loader, const struct sq_weights_facts *facts, const void *block, size_t bytes)
{
    const struct sq_dtype *dtype = find_words_dtype(facts);
    if (!dtype) return sq_err_set(loader->err, SQ_E_MODEL_FILE, "the words' type is unknown");
    set_words_type(loader, dtype);
    int status = loader->config->task == SQ_TASK_CLASSIFY ? sq_model_config_set_labels_count(loader->config, facts->labels_count, loader->err) : 0;
    if (status == 0) status = for_each_tensor(loader, sum_slot);
    if (status < 0) return status;
    if (loader->weights->bytes != bytes)
        return sq_err_set(loader->err, SQ_E_MODEL_FILE, "%zu bytes, where the model has %zu", bytes, loader->weights->bytes);
    loader->weights->block = (unsigned char *)(uintptr_t)block; /* only read from now on */
    loader->weights->is_lent = true;
    status = place_all(loader);
    if (status == 0) share_layers(loader);
    return status;
}

int sq_weights_lend(struct sq_weights *weights, struct sq_model_config *config, const struct sq_kernels *kernels,
                    const struct sq_precision_plan *plan, const struct sq_weights_facts *facts, const void *block, size_t bytes, struct sq_err *err)
{
    struct loader loader = {.weights = weights, .config = config, .kernels = kernels, .prefix = "", .plan = plan, .is_calibrated = true, .err = err};
    const struct sq_model_config before = *config;
    *weights = (struct sq_weights){0};
    int status = lend(&loader, facts, block, bytes);
    if (status < 0) sq_weights_close(weights);
    if (status < 0) *config = before;
    return status;
}
