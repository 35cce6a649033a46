/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/testmodel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buf.h"

enum { TENSORS_MAX = 2048, NAME_BYTES = 128, TOKEN_TYPES = 2, CHUNK_VALUES = 65536 };

const struct test_model test_model_tiny = {
    .layers = 2, .hidden = 24, .heads = 3, .intermediate = 40, .positions = 64, .labels = 3, .dtype = "F32", .seed = 1,
};

struct tensor {
    char name[NAME_BYTES]; /* without prefix */
    bool is_head;
    unsigned rows, columns; /* columns 0: one dimension */
    double low, high;
};

struct writer {
    const struct test_model *model;
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
    const char *layers = writer->model->is_distilbert ? "transformer.layer" : "encoder.layer";
    if (layer < 0) snprintf(tensor->name, NAME_BYTES, "%s", name);
    else snprintf(tensor->name, NAME_BYTES, "%s.%d.%s", layers, layer, name);
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

static void add_norm(struct writer *writer, int layer, const char *name)
{
    char part[NAME_BYTES];
    bool is_old = writer->model->old_norm_names;
    snprintf(part, sizeof part, "%s.%s", name, is_old ? "gamma" : "weight");
    add(writer, layer, part, writer->model->hidden, 0, 0.8, 1.2);
    snprintf(part, sizeof part, "%s.%s", name, is_old ? "beta" : "bias");
    add(writer, layer, part, writer->model->hidden, 0, -0.1, 0.1);
}

static void add_layer(struct writer *writer, int layer)
{
    static const char *const bert[] = {
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
        "intermediate.dense", "output.dense", "output.LayerNorm",
    };
    static const char *const distilbert[] = {
        "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm", "ffn.lin1", "ffn.lin2",
        "output_layer_norm",
    };
    const struct test_model *model = writer->model;
    const char *const *names = model->is_distilbert ? distilbert : bert;
    for (int i = 0; i < 4; i++) add_linear(writer, layer, names[i], model->hidden, model->hidden, 1);
    add_norm(writer, layer, names[4]);
    add_linear(writer, layer, names[5], model->intermediate, model->hidden, 1);
    add_linear(writer, layer, names[6], model->hidden, model->intermediate, 1);
    add_norm(writer, layer, names[7]);
}

static void add_tensors(struct writer *writer)
{
    const struct test_model *model = writer->model;
    add(writer, -1, "embeddings.word_embeddings.weight", writer->vocabulary, model->hidden, -1, 1);
    add(writer, -1, "embeddings.position_embeddings.weight", model->positions, model->hidden, -0.3, 0.3);
    if (!model->is_distilbert) add(writer, -1, "embeddings.token_type_embeddings.weight", TOKEN_TYPES, model->hidden, -0.3, 0.3);
    add_norm(writer, -1, "embeddings.LayerNorm");
    for (int layer = 0; layer < (int)model->layers; layer++) add_layer(writer, layer);
    add_linear(writer, -1, model->is_distilbert ? "pre_classifier" : "pooler.dense", model->hidden, model->hidden, 1);
    add_linear(writer, -1, "classifier", model->labels, model->hidden, 4);
}

static unsigned value_bytes(const struct test_model *model) { return strcmp(model->dtype, "F32") == 0 ? 4 : 2; }
static uint64_t values_count(const struct tensor *tensor) { return (uint64_t)tensor->rows * (tensor->columns ? tensor->columns : 1); }

static void write_header(FILE *file, const struct writer *writer)
{
    const struct test_model *model = writer->model;
    const char *own = model->is_distilbert ? "distilbert." : "bert.";
    struct sq_buf header;
    uint64_t offset = 0;
    sq_buf_init(&header);
    sq_buf_append_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < writer->tensors_count; i++) {
        const struct tensor *tensor = &writer->tensors[i];
        const char *prefix = tensor->is_head ? "" : model->prefix ? model->prefix : own;
        sq_buf_printf(&header, ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%u", prefix, tensor->name, model->dtype, tensor->rows);
        if (tensor->columns) sq_buf_printf(&header, ",%u", tensor->columns);
        uint64_t end = offset + values_count(tensor) * value_bytes(model);
        sq_buf_printf(&header, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)offset, (unsigned long long)end);
        offset = end;
    }
    sq_buf_append_char(&header, '}');
    while (header.bytes % 8) sq_buf_append_char(&header, ' ');
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

static void write_config(const char *folder, const struct writer *writer)
{
    const struct test_model *model = writer->model;
    FILE *file = create(folder, "config.json");
    const char *activation = model->activation ? model->activation : "gelu";
    if (model->is_distilbert)
        fprintf(file, "{\"architectures\":[\"DistilBertForSequenceClassification\"],\"model_type\":\"distilbert\",\"dim\":%u,\"n_layers\":%u,"
                      "\"n_heads\":%u,\"hidden_dim\":%u,\"activation\":\"%s\",",
                model->hidden, model->layers, model->heads, model->intermediate, activation);
    else
        fprintf(file, "{\"architectures\":[\"BertForSequenceClassification\"],\"model_type\":\"bert\",\"hidden_size\":%u,"
                      "\"num_hidden_layers\":%u,\"num_attention_heads\":%u,\"intermediate_size\":%u,\"hidden_act\":\"%s\","
                      "\"type_vocab_size\":%d,\"layer_norm_eps\":1e-12,",
                model->hidden, model->layers, model->heads, model->intermediate, activation, TOKEN_TYPES);
    fprintf(file, "\"max_position_embeddings\":%u,\"vocab_size\":%u,\"pad_token_id\":0,\"id2label\":{", model->positions, writer->vocabulary);
    for (unsigned i = 0; i < model->labels; i++) fprintf(file, "%s\"%u\":\"label %u\"", i ? "," : "", i, i);
    fprintf(file, "},\"label2id\":{");
    for (unsigned i = 0; i < model->labels; i++) fprintf(file, "%s\"label %u\":%u", i ? "," : "", i, i);
    fprintf(file, "}}\n");
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
    writer->vocabulary = write_vocabulary(folder, model);
    FILE *file = create(folder, "tokenizer_config.json");
    fprintf(file, "{\"do_lower_case\":true,\"model_max_length\":%u,\"tokenizer_class\":\"%s\"}\n", model->positions,
            model->is_distilbert ? "DistilBertTokenizer" : "BertTokenizer");
    check(fclose(file) == 0, "tokenizer_config.json");
    write_config(folder, writer);
    add_tensors(writer);
    file = create(folder, "model.safetensors");
    write_header(file, writer);
    for (size_t i = 0; i < writer->tensors_count; i++) write_tensor(file, writer, &writer->tensors[i]);
    check(fclose(file) == 0, "model.safetensors");
    free(writer);
}
