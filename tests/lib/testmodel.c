/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/testmodel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"

enum { TENSORS_MAX = 2048, NAME_BYTES = 128, TOKEN_TYPES = 2, BIAS_BUCKETS = 32, CHUNK_VALUES = 65536 };

const struct test_model test_model_tiny = {
    .layers = 2, .hidden = 24, .heads = 3, .intermediate = 40, .positions = 64, .labels = 3, .dtype = "F32", .seed = 1,
};

/* How transformers names things, by model_type. */
struct family {
    const char *type, *class_name, *tokenizer_class, *prefix;
    const char *layer, *modules[8]; /* query, key, value, output, norm; up, down, norm */
    const char *pooler, *classifier;
    const char *projection;
    bool has_token_types, has_dim_keys, has_bias;
};

#define BERT_LAYER "encoder.layer.%d.", \
    {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm", \
     "intermediate.dense", "output.dense", "output.LayerNorm"}
#define ROBERTA_HEAD "classifier.dense", "classifier.out_proj"

static const struct family families[] = {
    {"bert", "BertForSequenceClassification", "BertTokenizer", "bert.", BERT_LAYER, "pooler.dense", "classifier", NULL, true, false, false},
    {"distilbert", "DistilBertForSequenceClassification", "DistilBertTokenizer", "distilbert.", "transformer.layer.%d.",
     {"attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2",
      "output_layer_norm"}, "pre_classifier", "classifier", NULL, false, true, false},
    {"roberta", "RobertaForSequenceClassification", "BertTokenizer", "roberta.", BERT_LAYER, ROBERTA_HEAD, NULL, true, false, false},
    {"xlm-roberta", "XLMRobertaForSequenceClassification", "BertTokenizer", "roberta.", BERT_LAYER, ROBERTA_HEAD, NULL, true, false, false},
    {"camembert", "CamembertForSequenceClassification", "BertTokenizer", "roberta.", BERT_LAYER, ROBERTA_HEAD, NULL, true, false, false},
    {"electra", "ElectraForSequenceClassification", "ElectraTokenizer", "electra.", BERT_LAYER, ROBERTA_HEAD, "embeddings_project", true,
     false, false},
    {"mpnet", "MPNetForSequenceClassification", "BertTokenizer", "mpnet.", "encoder.layer.%d.",
     {"attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm", "intermediate.dense",
      "output.dense", "output.LayerNorm"}, ROBERTA_HEAD, NULL, false, false, true},
    {"albert", "AlbertForSequenceClassification", "BertTokenizer", "albert.", "encoder.albert_layer_groups.%d.albert_layers.0.",
     {"attention.query", "attention.key", "attention.value", "attention.dense", "attention.LayerNorm", "ffn", "ffn_output",
      "full_layer_layer_norm"}, "pooler", "classifier", "encoder.embedding_hidden_mapping_in", true, false, false},
};

struct tensor {
    char name[NAME_BYTES]; /* without prefix */
    bool is_head;
    unsigned rows, columns; /* columns 0: one dimension */
    double low, high;
};

struct writer {
    const struct test_model *model;
    const struct family *family;
    unsigned embedding; /* width of the words */
    unsigned vocabulary;
    struct tensor tensors[TENSORS_MAX];
    size_t tensors_count;
};

static void check(bool ok, const char *what)
{
    if (ok) return;
    perror(what);
    abort();
}

static const struct family *find_family(const char *type)
{
    size_t i = 0;
    while (i < sizeof families / sizeof *families && strcmp(families[i].type, type) != 0) i++;
    check(i < sizeof families / sizeof *families, type);
    return &families[i];
}

static uint64_t splitmix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t fnv1a(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static void add(struct writer *writer, int layer, const char *name, unsigned rows, unsigned columns, double low, double high)
{
    check(writer->tensors_count < TENSORS_MAX, "too many tensors");
    struct tensor *tensor = &writer->tensors[writer->tensors_count++];
    *tensor = (struct tensor){.rows = rows, .columns = columns, .low = low, .high = high};
    const char *number = strstr(writer->family->layer, "%d");
    if (layer < 0) snprintf(tensor->name, NAME_BYTES, "%s", name);
    else snprintf(tensor->name, NAME_BYTES, "%.*s%d%s%s", (int)(number - writer->family->layer), writer->family->layer, layer, number + 2, name);
    tensor->is_head = strstr(name, "classifier") != NULL;
}

/* NAME.weight [rows, columns] and NAME.bias [rows]. */
static void add_linear(struct writer *writer, int layer, const char *name, unsigned rows, unsigned columns, double gain)
{
    char part[NAME_BYTES];
    double bound = gain * sqrt(3.0 / columns);
    snprintf(part, sizeof part, "%s.weight", name);
    add(writer, layer, part, rows, columns, -bound, bound);
    snprintf(part, sizeof part, "%s.bias", name);
    add(writer, layer, part, rows, 0, -0.1, 0.1);
}

static void add_norm(struct writer *writer, int layer, const char *name, unsigned width)
{
    char part[NAME_BYTES];
    bool is_old = writer->model->old_norm_names && strstr(name, "LayerNorm");
    snprintf(part, sizeof part, "%s.%s", name, is_old ? "gamma" : "weight");
    add(writer, layer, part, width, 0, 0.8, 1.2);
    snprintf(part, sizeof part, "%s.%s", name, is_old ? "beta" : "bias");
    add(writer, layer, part, width, 0, -0.1, 0.1);
}

static void add_layer(struct writer *writer, int layer)
{
    const struct test_model *model = writer->model;
    const char *const *names = writer->family->modules;
    for (int i = 0; i < 4; i++) add_linear(writer, layer, names[i], model->hidden, model->hidden, 1);
    add_norm(writer, layer, names[4], model->hidden);
    add_linear(writer, layer, names[5], model->intermediate, model->hidden, 1);
    add_linear(writer, layer, names[6], model->hidden, model->intermediate, 1);
    add_norm(writer, layer, names[7], model->hidden);
}

static void add_tensors(struct writer *writer)
{
    const struct test_model *model = writer->model;
    const struct family *family = writer->family;
    unsigned layers = model->groups ? model->groups : model->layers, width = writer->embedding;
    add(writer, -1, "embeddings.word_embeddings.weight", writer->vocabulary, width, -1, 1);
    add(writer, -1, "embeddings.position_embeddings.weight", model->positions, width, -0.3, 0.3);
    if (family->has_token_types) add(writer, -1, "embeddings.token_type_embeddings.weight", TOKEN_TYPES, width, -0.3, 0.3);
    add_norm(writer, -1, "embeddings.LayerNorm", width);
    if (family->projection && (width != model->hidden || model->groups)) add_linear(writer, -1, family->projection, model->hidden, width, 1);
    if (family->has_bias) add(writer, -1, "encoder.relative_attention_bias.weight", BIAS_BUCKETS, model->heads, -1, 1);
    for (int layer = 0; layer < (int)layers; layer++) add_layer(writer, layer);
    if (model->is_headless) return;
    add_linear(writer, -1, family->pooler, model->hidden, model->hidden, 1);
    add_linear(writer, -1, family->classifier, model->labels, model->hidden, 4);
}

static unsigned value_bytes(const struct test_model *model) { return strcmp(model->dtype, "F32") == 0 ? 4 : 2; }
static uint64_t values_count(const struct tensor *tensor) { return (uint64_t)tensor->rows * (tensor->columns ? tensor->columns : 1); }

/* Shards take the tensors in turn. */
static bool is_in(const struct writer *writer, size_t tensor, unsigned shard)
{
    return writer->model->shards < 2 || tensor % writer->model->shards == shard;
}

static const char *prefix_of(const struct writer *writer, const struct tensor *tensor)
{
    if (tensor->is_head) return "";
    return writer->model->prefix ? writer->model->prefix : writer->family->prefix;
}

static void write_header(FILE *file, const struct writer *writer, unsigned shard)
{
    const struct test_model *model = writer->model;
    struct sq_buf header;
    uint64_t offset = 0;
    sq_buf_init(&header);
    sq_buf_append_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < writer->tensors_count; i++) {
        const struct tensor *tensor = &writer->tensors[i];
        if (!is_in(writer, i, shard)) continue;
        sq_buf_printf(&header, ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%u", prefix_of(writer, tensor), tensor->name, model->dtype,
                      tensor->rows);
        if (tensor->columns) sq_buf_printf(&header, ",%u", tensor->columns);
        uint64_t end = offset + values_count(tensor) * value_bytes(model);
        sq_buf_printf(&header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)offset, (unsigned long long)end);
        offset = end;
    }
    sq_buf_append_char(&header, '}');
    sq_buf_append(&header, "       ", (8 - header.bytes % 8) % 8);
    uint64_t bytes = header.bytes;
    check(!sq_buf_failed(&header) && fwrite(&bytes, sizeof bytes, 1, file) == 1 && fwrite(header.data, bytes, 1, file) == 1, "header");
    sq_buf_deinit(&header);
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* To the nearest, ties to even. The values here are below 8, so none becomes infinite; those below 2^-14 become subnormal or zero. */
static uint16_t to_f16(float value)
{
    uint32_t bits = float_bits(value), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude < 0x38800000u) return (uint16_t)(sign | (uint32_t)lrintf(fabsf(value) * 16777216.0f));
    magnitude -= 112u << 23;
    return (uint16_t)(sign | (magnitude + 0xfffu + (magnitude >> 13 & 1)) >> 13);
}

static uint16_t to_bf16(float value)
{
    uint32_t bits = float_bits(value);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

static void write_tensor(FILE *file, const struct writer *writer, const struct tensor *tensor)
{
    static float wide[CHUNK_VALUES];
    static uint16_t narrow[CHUNK_VALUES];
    unsigned bytes = value_bytes(writer->model);
    bool is_f16 = strcmp(writer->model->dtype, "F16") == 0;
    uint64_t count = values_count(tensor), start = writer->model->seed + fnv1a(tensor->name);
    for (uint64_t done = 0; done < count;) {
        size_t chunk = count - done < CHUNK_VALUES ? (size_t)(count - done) : CHUNK_VALUES;
        for (size_t i = 0; i < chunk; i++) {
            double u = (double)(splitmix64(start + done + i) >> 11) * 0x1p-53;
            wide[i] = (float)(tensor->low + (tensor->high - tensor->low) * u);
            narrow[i] = is_f16 ? to_f16(wide[i]) : to_bf16(wide[i]);
        }
        check(fwrite(bytes == 4 ? (void *)wide : (void *)narrow, bytes, chunk, file) == chunk, "weights");
        done += chunk;
    }
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    check(file != NULL, path);
    return file;
}

static void shard_name(char name[64], const struct test_model *model, unsigned shard)
{
    if (model->shards < 2) snprintf(name, 64, "model.safetensors");
    else snprintf(name, 64, "model-%05u-of-%05u.safetensors", shard + 1, model->shards);
}

static void write_shard(const char *folder, const struct writer *writer, unsigned shard)
{
    char name[64];
    shard_name(name, writer->model, shard);
    FILE *file = create(folder, name);
    write_header(file, writer, shard);
    for (size_t i = 0; i < writer->tensors_count; i++) {
        if (is_in(writer, i, shard)) write_tensor(file, writer, &writer->tensors[i]);
    }
    check(fclose(file) == 0, name);
}

static void write_index(const char *folder, const struct writer *writer)
{
    FILE *file = create(folder, "model.safetensors.index.json");
    fprintf(file, "{\"metadata\":{},\"weight_map\":{");
    for (size_t i = 0; i < writer->tensors_count; i++) {
        char name[64];
        shard_name(name, writer->model, (unsigned)(i % writer->model->shards));
        fprintf(file, "%s\"%s%s\":\"%s\"", i ? "," : "", prefix_of(writer, &writer->tensors[i]), writer->tensors[i].name, name);
    }
    fprintf(file, "}}\n");
    check(fclose(file) == 0, "index");
}

static void write_labels(FILE *file, unsigned count)
{
    fprintf(file, "\"id2label\":{");
    for (unsigned i = 0; i < count; i++) fprintf(file, "%s\"%u\":\"label %u\"", i ? "," : "", i, i);
    fprintf(file, "},\"label2id\":{");
    for (unsigned i = 0; i < count; i++) fprintf(file, "%s\"label %u\":%u", i ? "," : "", i, i);
    fprintf(file, "}");
}

static void write_config(const char *folder, const struct writer *writer)
{
    const struct test_model *model = writer->model;
    const struct family *family = writer->family;
    FILE *file = create(folder, "config.json");
    const char *activation = model->activation ? model->activation : "gelu";
    static const char *const dim_keys[] = {"dim", "n_layers", "n_heads", "hidden_dim", "activation"};
    static const char *const usual_keys[] = {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"};
    const char *const *keys = family->has_dim_keys ? dim_keys : usual_keys;
    fprintf(file, "{\"architectures\":[\"%s\"],\"model_type\":\"%s\",", family->class_name, family->type);
    const unsigned numbers[] = {model->hidden, model->layers, model->heads, model->intermediate};
    for (size_t i = 0; i < 4; i++) fprintf(file, "\"%s\":%u,", keys[i], numbers[i]);
    fprintf(file, "\"%s\":\"%s\",", keys[4], activation);
    if (family->has_token_types) fprintf(file, "\"type_vocab_size\":%d,", TOKEN_TYPES);
    if (!family->has_dim_keys) fprintf(file, "\"layer_norm_eps\":%s,", model->eps ? model->eps : "1e-12");
    if (family->projection) fprintf(file, "\"embedding_size\":%u,", writer->embedding);
    if (model->groups) fprintf(file, "\"num_hidden_groups\":%u,\"inner_group_num\":1,", model->groups);
    if (model->problem_type) fprintf(file, "\"problem_type\":\"%s\",", model->problem_type);
    fprintf(file, "\"max_position_embeddings\":%u,\"vocab_size\":%u,\"pad_token_id\":%u,", model->positions, writer->vocabulary,
            model->padding_id);
    write_labels(file, model->labels);
    fprintf(file, "}\n");
    check(fclose(file) == 0, "config.json");
}

/* Special tokens, then each letter and digit as a word and as a word's end. */
static void write_letters(FILE *file)
{
    fputs("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n!\n?\n.\n,\n", file);
    for (const char *c = "abcdefghijklmnopqrstuvwxyz0123456789"; *c; c++) fprintf(file, "%c\n##%c\n", *c, *c);
}

/* Returns the number of lines. */
static unsigned write_vocabulary(const char *folder, const struct test_model *model)
{
    char path[4096];
    FILE *file = create(folder, "vocab.txt");
    if (!model->vocabulary) {
        write_letters(file);
    } else {
        FILE *from = fopen(model->vocabulary, "rb");
        check(from != NULL, model->vocabulary);
        for (int c; (c = getc(from)) != EOF;) putc(c, file);
        fclose(from);
    }
    check(fclose(file) == 0, "vocab.txt");
    snprintf(path, sizeof path, "%s/vocab.txt", folder);
    unsigned lines = 0;
    file = fopen(path, "rb");
    check(file != NULL, path);
    for (int c; (c = getc(file)) != EOF;) lines += c == '\n';
    fclose(file);
    return lines;
}

void test_model_write(const char *folder, const struct test_model *model)
{
    struct writer *writer = calloc(1, sizeof *writer);
    check(writer != NULL, "memory");
    writer->model = model;
    writer->family = find_family(model->type ? model->type : "bert");
    writer->embedding = model->embedding ? model->embedding : model->hidden;
    writer->vocabulary = write_vocabulary(folder, model);
    FILE *file = create(folder, "tokenizer_config.json");
    fprintf(file, "{\"do_lower_case\":true,\"model_max_length\":%u,\"tokenizer_class\":\"%s\"}\n", model->positions,
            writer->family->tokenizer_class);
    check(fclose(file) == 0, "tokenizer_config.json");
    write_config(folder, writer);
    add_tensors(writer);
    for (unsigned shard = 0; shard == 0 || shard < model->shards; shard++) write_shard(folder, writer, shard);
    if (model->shards > 1) write_index(folder, writer);
    free(writer);
}
