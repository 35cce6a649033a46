/* SPDX-License-Identifier: Apache-2.0 */
/* Loading goes over one table of slots three times: find each tensor and compare its shape, sum up the memory, read.
 *
 * A slot says what the tensor is called in each architecture, which field of the weights it fills, what shape it has and how it is kept. Names come
 * with the prefix of the class ("bert.") or, from some tools, without; old checkpoints call a layer norm's weight and bias gamma and
 * beta. Tensors that no slot asks for (position_ids, a pre-training head) are ignored. */
#include "engine/model/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/buf.h"
#include "engine/model/safetensors.h"

enum { HUGE_PAGE_BYTES = 2 * 1024 * 1024, NAME_BYTES = 192, PATH_BYTES = 4096, PROBLEMS_SHOWN_MAX = 8 };

enum dimension { DIM_NONE, DIM_HIDDEN, DIM_INTERMEDIATE, DIM_VOCABULARY, DIM_POSITIONS, DIM_LABELS };

enum kind {
    KIND_TABLE,  /* rows are looked up; stays as it is */
    KIND_VECTOR, /* one dimension */
    KIND_MATRIX, /* of a product: packed */
};

struct slot {
    const char *names[2]; /* by enum sq_architecture, without prefix and layer; NULL: this architecture has none */
    size_t field;         /* offset of the float * in struct sq_weights or struct sq_layer_weights */
    enum kind kind;
    enum dimension rows, columns; /* columns DIM_NONE for a vector */
    bool is_head;  /* its name has no class prefix */
    bool is_query; /* to be multiplied by 1 / sqrt(head_size) */
};

#define TABLE(member, rows) offsetof(OWNER, member), KIND_TABLE, DIM_##rows, DIM_HIDDEN
#define VECTOR(member, rows) offsetof(OWNER, member), KIND_VECTOR, DIM_##rows, DIM_NONE
#define MATRIX(member, rows, columns) offsetof(OWNER, member), KIND_MATRIX, DIM_##rows, DIM_##columns

#define OWNER struct sq_weights
static const struct slot model_slots[] = {
    {{"embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"}, TABLE(words, VOCABULARY), false, false},
    {{"embeddings.position_embeddings.weight", "embeddings.position_embeddings.weight"}, TABLE(positions, POSITIONS), false, false},
    {{"embeddings.LayerNorm.weight", "embeddings.LayerNorm.weight"}, VECTOR(embedding_norm.gamma, HIDDEN), false, false},
    {{"embeddings.LayerNorm.bias", "embeddings.LayerNorm.bias"}, VECTOR(embedding_norm.beta, HIDDEN), false, false},
    {{"pooler.dense.weight", NULL}, MATRIX(pooler.weight, HIDDEN, HIDDEN), false, false},
    {{"pooler.dense.bias", NULL}, VECTOR(pooler.bias, HIDDEN), false, false},
    {{NULL, "pre_classifier.weight"}, MATRIX(pooler.weight, HIDDEN, HIDDEN), true, false},
    {{NULL, "pre_classifier.bias"}, VECTOR(pooler.bias, HIDDEN), true, false},
    {{"classifier.weight", "classifier.weight"}, MATRIX(classifier.weight, LABELS, HIDDEN), true, false},
    {{"classifier.bias", "classifier.bias"}, VECTOR(classifier.bias, LABELS), true, false},
};
#undef OWNER

#define OWNER struct sq_layer_weights
static const struct slot layer_slots[] = {
    {{"attention.self.query.weight", "attention.q_lin.weight"}, MATRIX(query.weight, HIDDEN, HIDDEN), false, true},
    {{"attention.self.query.bias", "attention.q_lin.bias"}, VECTOR(query.bias, HIDDEN), false, true},
    {{"attention.self.key.weight", "attention.k_lin.weight"}, MATRIX(key.weight, HIDDEN, HIDDEN), false, false},
    {{"attention.self.key.bias", "attention.k_lin.bias"}, VECTOR(key.bias, HIDDEN), false, false},
    {{"attention.self.value.weight", "attention.v_lin.weight"}, MATRIX(value.weight, HIDDEN, HIDDEN), false, false},
    {{"attention.self.value.bias", "attention.v_lin.bias"}, VECTOR(value.bias, HIDDEN), false, false},
    {{"attention.output.dense.weight", "attention.out_lin.weight"}, MATRIX(output.weight, HIDDEN, HIDDEN), false, false},
    {{"attention.output.dense.bias", "attention.out_lin.bias"}, VECTOR(output.bias, HIDDEN), false, false},
    {{"attention.output.LayerNorm.weight", "sa_layer_norm.weight"}, VECTOR(attention_norm.gamma, HIDDEN), false, false},
    {{"attention.output.LayerNorm.bias", "sa_layer_norm.bias"}, VECTOR(attention_norm.beta, HIDDEN), false, false},
    {{"intermediate.dense.weight", "ffn.lin1.weight"}, MATRIX(up.weight, INTERMEDIATE, HIDDEN), false, false},
    {{"intermediate.dense.bias", "ffn.lin1.bias"}, VECTOR(up.bias, INTERMEDIATE), false, false},
    {{"output.dense.weight", "ffn.lin2.weight"}, MATRIX(down.weight, HIDDEN, INTERMEDIATE), false, false},
    {{"output.dense.bias", "ffn.lin2.bias"}, VECTOR(down.bias, HIDDEN), false, false},
    {{"output.LayerNorm.weight", "output_layer_norm.weight"}, VECTOR(ffn_norm.gamma, HIDDEN), false, false},
    {{"output.LayerNorm.bias", "output_layer_norm.bias"}, VECTOR(ffn_norm.beta, HIDDEN), false, false},
};
#undef OWNER
#undef TABLE
#undef VECTOR
#undef MATRIX

enum { MODEL_SLOTS_COUNT = sizeof model_slots / sizeof *model_slots, LAYER_SLOTS_COUNT = sizeof layer_slots / sizeof *layer_slots };

static const char *const class_prefixes[] = {"bert.", "distilbert."};
static const char *const layer_prefixes[] = {"encoder.layer.", "transformer.layer."};
static const char token_types_name[] = "embeddings.token_type_embeddings.weight";

struct loader {
    struct sq_weights *weights;
    struct sq_model_config *config;
    const struct sq_kernels *kernels;
    struct sq_safetensors file;
    const char *prefix;       /* of the names in this file: "bert." or "" */
    struct sq_buf problems;   /* missing and misshapen tensors, one a line */
    unsigned problems_count;
    float *staged;            /* owned: a matrix as the file has it, before packing; room for the largest */
    struct sq_err *err;
};

static unsigned extent(const struct sq_model_config *config, enum dimension dimension)
{
    const unsigned extents[] = {1, config->hidden, config->intermediate, config->vocabulary, config->positions, config->labels_count};
    return extents[dimension];
}

static size_t values_count(const struct sq_model_config *config, const struct slot *slot)
{
    return (size_t)extent(config, slot->rows) * extent(config, slot->columns); /* below 2^22 * 2^14: config.h's bounds */
}

/* What the slot takes in the block, from one cache line to the next. */
static size_t placed_count(const struct loader *loader, const struct slot *slot)
{
    const struct sq_model_config *config = loader->config;
    size_t count = slot->kind == KIND_MATRIX
                       ? sq_kernels_packed_floats(loader->kernels, extent(config, slot->rows), extent(config, slot->columns))
                       : values_count(config, slot);
    return (count + 15) & ~(size_t)15;
}

/* The field in the weights that the slot fills. */
static float **field_at(const struct loader *loader, const struct slot *slot, int layer)
{
    unsigned char *base = layer < 0 ? (unsigned char *)loader->weights : (unsigned char *)&loader->weights->layers[layer];
    return (float **)(void *)(base + slot->field);
}

/* What the file should call the slot's tensor; NULL when this architecture has no such slot. */
static const char *slot_name(const struct loader *loader, const struct slot *slot, int layer, char name[NAME_BYTES])
{
    enum sq_architecture architecture = loader->config->architecture;
    if (!slot->names[architecture]) return NULL;
    const char *prefix = slot->is_head ? "" : loader->prefix;
    if (layer < 0) snprintf(name, NAME_BYTES, "%s%s", prefix, slot->names[architecture]);
    else snprintf(name, NAME_BYTES, "%s%s%d.%s", prefix, layer_prefixes[architecture], layer, slot->names[architecture]);
    return name;
}

/* Finds by name, else by the name that old checkpoints use: LayerNorm.gamma for LayerNorm.weight, LayerNorm.beta for LayerNorm.bias. */
static const struct sq_tensor *find(const struct loader *loader, const char *name)
{
    const struct sq_tensor *tensor = sq_safetensors_find(&loader->file, name);
    const char *norm = strstr(name, "LayerNorm.");
    if (tensor || !norm) return tensor;
    char old[NAME_BYTES + 8];
    const char *last = strcmp(norm, "LayerNorm.weight") == 0 ? "gamma" : "beta";
    snprintf(old, sizeof old, "%.*sLayerNorm.%s", (int)(norm - name), name, last);
    return sq_safetensors_find(&loader->file, old);
}

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

/* Compares the tensor with rows x columns; columns DIM_NONE asks for rank 1. */
static void check_shape(struct loader *loader, const char *name, const struct sq_tensor *tensor, uint64_t rows, enum dimension columns)
{
    unsigned rank = columns == DIM_NONE ? 1 : 2;
    uint64_t width = extent(loader->config, columns);
    char given[96], problem[256];
    if (tensor->rank == rank && tensor->shape[0] == rows && (rank == 1 || tensor->shape[1] == width)) return;
    describe_shape(tensor, given);
    if (rank == 1) snprintf(problem, sizeof problem, "shape [%s], config.json asks for [%" PRIu64 "]", given, rows);
    else snprintf(problem, sizeof problem, "shape [%s], config.json asks for [%" PRIu64 ", %" PRIu64 "]", given, rows, width);
    add_problem(loader, name, problem);
}

typedef int (*slot_fn)(struct loader *loader, const struct slot *slot, int layer);

/* Calls `visit` for every slot of the model; stops at the first failure. */
static int for_each_slot(struct loader *loader, slot_fn visit)
{
    for (size_t i = 0; i < MODEL_SLOTS_COUNT; i++) {
        int status = visit(loader, &model_slots[i], -1);
        if (status < 0) return status;
    }
    for (int layer = 0; layer < (int)loader->config->layers; layer++) {
        for (size_t i = 0; i < LAYER_SLOTS_COUNT; i++) {
            int status = visit(loader, &layer_slots[i], layer);
            if (status < 0) return status;
        }
    }
    return 0;
}

static int check_slot(struct loader *loader, const struct slot *slot, int layer)
{
    char name_buffer[NAME_BYTES];
    const char *name = slot_name(loader, slot, layer, name_buffer);
    if (!name) return 0;
    const struct sq_tensor *tensor = find(loader, name);
    if (tensor) check_shape(loader, name, tensor, extent(loader->config, slot->rows), slot->columns);
    else add_problem(loader, name, "missing");
    return 0;
}

static int sum_slot(struct loader *loader, const struct slot *slot, int layer)
{
    (void)layer;
    if (!slot->names[loader->config->architecture]) return 0;
    size_t bytes = placed_count(loader, slot) * sizeof(float);
    if (__builtin_add_overflow(loader->weights->bytes, bytes, &loader->weights->bytes))
        return sq_err_set(loader->err, SQ_E_MODEL_FILE, "config.json: the model is too large");
    return 0;
}

static int place_slot(struct loader *loader, const struct slot *slot, int layer)
{
    if (!slot->names[loader->config->architecture]) return 0;
    *field_at(loader, slot, layer) = loader->weights->block + loader->weights->bytes / sizeof(float);
    loader->weights->bytes += placed_count(loader, slot) * sizeof(float);
    return 0;
}

/* 1 / sqrt(head_size) goes into the query, once at load instead of at every score. */
static void scale_query(const struct loader *loader, float *values, size_t count)
{
    float scale = 1.0f / sqrtf((float)loader->config->head_size);
    for (size_t i = 0; i < count; i++) values[i] *= scale;
}

static int read_slot(struct loader *loader, const struct slot *slot, int layer)
{
    char name_buffer[NAME_BYTES];
    const char *name = slot_name(loader, slot, layer, name_buffer);
    if (!name) return 0;
    float *placed = *field_at(loader, slot, layer);
    float *values = slot->kind == KIND_MATRIX ? loader->staged : placed;
    int status = sq_safetensors_read(&loader->file, find(loader, name), values, loader->err);
    if (status < 0) return status;
    if (slot->is_query) scale_query(loader, values, values_count(loader->config, slot));
    if (slot->kind == KIND_MATRIX)
        sq_kernels_pack(loader->kernels, placed, values, extent(loader->config, slot->rows), extent(loader->config, slot->columns));
    return 0;
}

/* Every token is of type 0, so its embedding is added to each position once. */
static int add_token_type(struct loader *loader)
{
    char name[NAME_BYTES];
    const struct sq_model_config *config = loader->config;
    if (config->token_types == 0) return 0;
    snprintf(name, sizeof name, "%s%s", loader->prefix, token_types_name);
    float *types = malloc((size_t)config->token_types * config->hidden * sizeof *types);
    if (!types) return sq_err_set(loader->err, SQ_E_NOMEM, "no memory for the token types");
    int status = sq_safetensors_read(&loader->file, find(loader, name), types, loader->err);
    for (size_t row = 0; status == 0 && row < config->positions; row++) {
        float *position = loader->weights->positions + row * config->hidden;
        for (size_t i = 0; i < config->hidden; i++) position[i] += types[i];
    }
    free(types);
    return status;
}

static void check_token_types(struct loader *loader)
{
    char name[NAME_BYTES];
    if (loader->config->token_types == 0) return;
    snprintf(name, sizeof name, "%s%s", loader->prefix, token_types_name);
    const struct sq_tensor *tensor = find(loader, name);
    if (tensor) check_shape(loader, name, tensor, loader->config->token_types, DIM_HIDDEN);
    else add_problem(loader, name, "missing");
}

static void choose_prefix(struct loader *loader)
{
    char name[NAME_BYTES];
    const char *prefix = class_prefixes[loader->config->architecture];
    loader->prefix = prefix;
    snprintf(name, sizeof name, "%s%s", prefix, model_slots[0].names[0]);
    if (!sq_safetensors_find(&loader->file, name) && sq_safetensors_find(&loader->file, model_slots[0].names[0])) loader->prefix = "";
}

/* The classifier's rows are the labels. */
static int count_labels(struct loader *loader)
{
    const struct sq_tensor *classifier = find(loader, "classifier.weight");
    if (!classifier || classifier->rank != 2) return 0; /* check_slot will tell */
    unsigned rows = classifier->shape[0] <= SQ_LABELS_MAX ? (unsigned)classifier->shape[0] : SQ_LABELS_MAX + 1;
    return sq_model_config_set_labels_count(loader->config, rows, loader->err);
}

static int check_all(struct loader *loader)
{
    int status = count_labels(loader);
    if (status < 0) return sq_err_prefix(loader->err, "%s: ", loader->file.path);
    for_each_slot(loader, check_slot);
    check_token_types(loader);
    if (loader->problems_count == 0) return 0;
    if (loader->problems_count > PROBLEMS_SHOWN_MAX)
        sq_buf_printf(&loader->problems, "\n  and %u more", loader->problems_count - PROBLEMS_SHOWN_MAX);
    return sq_err_set(loader->err, SQ_E_MODEL_FILE, "%s: %u tensors are missing or have the wrong shape for a %s:%s", loader->file.path,
                      loader->problems_count, loader->config->architecture_name, loader->problems.data);
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Products need their sizes next to their weights. */
static void set_sizes(const struct loader *loader)
{
    struct sq_weights *weights = loader->weights;
    size_t hidden = loader->config->hidden, intermediate = loader->config->intermediate;
    struct sq_linear *head[] = {&weights->pooler, &weights->classifier};
    for (size_t i = 0; i < 2; i++) *head[i] = (struct sq_linear){.outputs = hidden, .inputs = hidden};
    weights->classifier.outputs = loader->config->labels_count;
    for (unsigned layer = 0; layer < loader->config->layers; layer++) {
        struct sq_layer_weights *at = &weights->layers[layer];
        struct sq_linear *square[] = {&at->query, &at->key, &at->value, &at->output};
        for (size_t i = 0; i < 4; i++) *square[i] = (struct sq_linear){.outputs = hidden, .inputs = hidden};
        at->up = (struct sq_linear){.outputs = intermediate, .inputs = hidden};
        at->down = (struct sq_linear){.outputs = hidden, .inputs = intermediate};
    }
}

/* Huge pages where the kernel gives them: the pass streams all of it again and again. */
static int allocate(struct loader *loader)
{
    struct sq_weights *weights = loader->weights;
    int status = for_each_slot(loader, sum_slot);
    if (status < 0) return status;
    size_t bytes = (weights->bytes + HUGE_PAGE_BYTES - 1) & ~(size_t)(HUGE_PAGE_BYTES - 1);
    weights->block = aligned_alloc(HUGE_PAGE_BYTES, bytes);
    if (!weights->block) return sq_err_set(loader->err, SQ_E_NOMEM, "no memory for %zu bytes of weights", bytes);
    madvise(weights->block, bytes, MADV_HUGEPAGE);
    size_t hidden = loader->config->hidden, widest = larger(larger(hidden, loader->config->intermediate), loader->config->labels_count);
    loader->staged = malloc(hidden * widest * sizeof *loader->staged);
    if (!loader->staged) return sq_err_set(loader->err, SQ_E_NOMEM, "no memory to read a matrix");
    weights->bytes = 0;
    set_sizes(loader);
    return for_each_slot(loader, place_slot);
}

static int load(struct loader *loader)
{
    choose_prefix(loader);
    int status = check_all(loader);
    if (status == 0) status = allocate(loader);
    if (status == 0) status = for_each_slot(loader, read_slot);
    if (status == 0) status = add_token_type(loader);
    char name[NAME_BYTES];
    if (status == 0) loader->weights->dtype = sq_tensor_dtype_name(find(loader, slot_name(loader, &model_slots[0], -1, name)));
    return status;
}

static bool exists(const char *model_path, const char *file)
{
    char path[PATH_BYTES];
    return (size_t)snprintf(path, sizeof path, "%s/%s", model_path, file) < sizeof path && access(path, F_OK) == 0;
}

/* A folder without model.safetensors: says what it has instead and what to do. */
static int explain_no_weights(const char *model_path, struct sq_err *err)
{
    if (exists(model_path, "model.safetensors.index.json"))
        return sq_err_set(err, SQ_E_MODEL_FILE,
                          "%s: the weights are split over several files, which can't be read: save the model again in one model.safetensors",
                          model_path);
    if (exists(model_path, "pytorch_model.bin"))
        return sq_err_set(err, SQ_E_MODEL_FILE,
                          "%s: has pytorch_model.bin, which may run code when it is loaded, and no model.safetensors: look for one in the "
                          "model's pull requests on the hub, or load and save it once with transformers (save_pretrained)",
                          model_path);
    return sq_err_set(err, SQ_E_MODEL_FILE, "%s/model.safetensors: no such file: expected a complete Hugging Face folder", model_path);
}

int sq_weights_open(struct sq_weights *weights, struct sq_model_config *config, const struct sq_kernels *kernels, const char *model_path,
                    struct sq_err *err)
{
    char path[PATH_BYTES];
    *weights = (struct sq_weights){0};
    if ((size_t)snprintf(path, sizeof path, "%s/model.safetensors", model_path) >= sizeof path)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the model's path is too long");
    if (!exists(model_path, "model.safetensors")) return explain_no_weights(model_path, err);
    struct loader loader = {.weights = weights, .config = config, .kernels = kernels, .err = err};
    int status = sq_safetensors_open(&loader.file, path, err);
    if (status < 0) return status;
    sq_buf_init(&loader.problems);
    status = load(&loader);
    sq_buf_deinit(&loader.problems);
    free(loader.staged);
    sq_safetensors_close(&loader.file);
    if (status < 0) sq_weights_close(weights);
    return status;
}

void sq_weights_close(struct sq_weights *weights)
{
    free(weights->block);
    *weights = (struct sq_weights){0};
}
