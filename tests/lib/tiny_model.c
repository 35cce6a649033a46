/* SPDX-License-Identifier: Apache-2.0 */
/* One layer whose attention is uniform (queries and keys are zero) and whose values pass the word vectors through: so [CLS] carries the mean
 * of the words, of which only "bad" and "good" are not zero. */
#include "tests/lib/tiny_model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { HIDDEN = 8, INTERMEDIATE = 8, POSITIONS = 64, LABELS = 3 };

static const char *const words[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bad", "good", "the", "phone", "is", "a", "and", "very", "."};
enum { WORDS_COUNT = (int)(sizeof words / sizeof *words), WORD_BAD = 5, WORD_GOOD = 6 };

struct builder {
    struct sq_buf header, data;
};

/* value(row, column) of one tensor. */
typedef float (*value_fn)(unsigned row, unsigned column);

static float zero(unsigned row, unsigned column) { return (void)row, (void)column, 0.0f; }
static float one(unsigned row, unsigned column) { return (void)row, (void)column, 1.0f; }
static float identity(unsigned row, unsigned column) { return row == column ? 1.0f : 0.0f; }
static float amplify(unsigned row, unsigned column) { return row == column ? 30.0f : 0.0f; }
static float word(unsigned row, unsigned column)
{
    if (row == WORD_BAD) return column == 0 ? 4.0f : 0.0f;
    if (row == WORD_GOOD) return column == 1 ? 4.0f : 0.0f;
    return column == 2 ? 0.05f : 0.0f; /* not quite nothing, or the norm would divide by it */
}
/* How far a word's column stands out from one that no word uses; neutral is what is left when neither does. */
static float classify(unsigned row, unsigned column)
{
    if (row == 1) return 0.0f;
    return column == (row == 0 ? 0 : 1) ? 20.0f : column == 3 ? -20.0f : 0.0f;
}
static float lean(unsigned row, unsigned column) { return (void)row, column == 1 ? 1.0f : 0.0f; }

static void add(struct builder *builder, const char *name, unsigned rows, unsigned columns, value_fn value)
{
    size_t start = builder->data.bytes;
    for (unsigned row = 0; row < rows; row++)
        for (unsigned column = 0; column < (columns ? columns : 1); column++) {
            float number = columns ? value(row, column) : value(0, row);
            sq_buf_append(&builder->data, &number, sizeof number);
        }
    sq_buf_printf(&builder->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%u", builder->header.bytes ? "," : "{", name, rows);
    if (columns) sq_buf_printf(&builder->header, ",%u", columns);
    sq_buf_printf(&builder->header, "],\"data_offsets\":[%zu,%zu]}", start, builder->data.bytes);
}

static void add_tensors(struct builder *builder)
{
    static const struct {
        const char *name;
        unsigned rows, columns;
        value_fn value;
    } tensors[] = {
        {"bert.embeddings.word_embeddings.weight", WORDS_COUNT, HIDDEN, word},
        {"bert.embeddings.position_embeddings.weight", POSITIONS, HIDDEN, zero},
        {"bert.embeddings.token_type_embeddings.weight", 2, HIDDEN, zero},
        {"bert.embeddings.LayerNorm.weight", HIDDEN, 0, one},
        {"bert.embeddings.LayerNorm.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.attention.self.query.weight", HIDDEN, HIDDEN, zero},
        {"bert.encoder.layer.0.attention.self.query.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.attention.self.key.weight", HIDDEN, HIDDEN, zero},
        {"bert.encoder.layer.0.attention.self.key.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.attention.self.value.weight", HIDDEN, HIDDEN, amplify},
        {"bert.encoder.layer.0.attention.self.value.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.attention.output.dense.weight", HIDDEN, HIDDEN, identity},
        {"bert.encoder.layer.0.attention.output.dense.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.attention.output.LayerNorm.weight", HIDDEN, 0, one},
        {"bert.encoder.layer.0.attention.output.LayerNorm.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.intermediate.dense.weight", INTERMEDIATE, HIDDEN, zero},
        {"bert.encoder.layer.0.intermediate.dense.bias", INTERMEDIATE, 0, zero},
        {"bert.encoder.layer.0.output.dense.weight", HIDDEN, INTERMEDIATE, zero},
        {"bert.encoder.layer.0.output.dense.bias", HIDDEN, 0, zero},
        {"bert.encoder.layer.0.output.LayerNorm.weight", HIDDEN, 0, one},
        {"bert.encoder.layer.0.output.LayerNorm.bias", HIDDEN, 0, zero},
        {"bert.pooler.dense.weight", HIDDEN, HIDDEN, identity},
        {"bert.pooler.dense.bias", HIDDEN, 0, zero},
        {"classifier.weight", LABELS, HIDDEN, classify},
        {"classifier.bias", LABELS, 0, lean},
    };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        add(builder, tensors[i].name, tensors[i].rows, tensors[i].columns, tensors[i].value);
    sq_buf_append_char(&builder->header, '}');
    sq_buf_append(&builder->header, "       ", (8 - builder->header.bytes % 8) % 8);
}

static void write_weights(const struct test_folder *folder)
{
    struct builder builder;
    struct sq_buf file;
    sq_buf_init(&builder.header);
    sq_buf_init(&builder.data);
    sq_buf_init(&file);
    add_tensors(&builder);
    uint64_t header_bytes = builder.header.bytes;
    sq_buf_append(&file, &header_bytes, sizeof header_bytes);
    sq_buf_append_str(&file, sq_buf_view(&builder.header));
    sq_buf_append_str(&file, sq_buf_view(&builder.data));
    if (sq_buf_failed(&file)) abort();
    test_folder_write(folder, "model.safetensors", sq_buf_view(&file));
    sq_buf_deinit(&file);
    sq_buf_deinit(&builder.data);
    sq_buf_deinit(&builder.header);
}

void test_tiny_model_write(const struct test_folder *folder)
{
    struct sq_buf text;
    sq_buf_init(&text);
    for (size_t i = 0; i < (size_t)WORDS_COUNT; i++) sq_buf_printf(&text, "%s\n", words[i]);
    test_folder_write(folder, "vocab.txt", sq_buf_view(&text));
    sq_buf_clear(&text);
    sq_buf_printf(&text,
                  "{\"architectures\":[\"BertForSequenceClassification\"],\"model_type\":\"bert\",\"hidden_size\":%d,\"num_hidden_layers\":1,"
                  "\"num_attention_heads\":2,\"intermediate_size\":%d,\"hidden_act\":\"gelu\",\"max_position_embeddings\":%d,\"vocab_size\":%d,"
                  "\"type_vocab_size\":2,\"layer_norm_eps\":1e-12,\"id2label\":{\"0\":\"negative\",\"1\":\"neutral\",\"2\":\"positive\"}}",
                  HIDDEN, INTERMEDIATE, POSITIONS, WORDS_COUNT);
    test_folder_write(folder, "config.json", sq_buf_view(&text));
    test_folder_write(folder, "tokenizer_config.json", SQ_STR("{\"do_lower_case\":true}"));
    sq_buf_deinit(&text);
    write_weights(folder);
}
