/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/model/config.h"

static struct sq_err err;
static struct sq_model_config config;

static int parse(const char *text) { return sq_model_config_parse(&config, SQ_TASK_CLASSIFY, "m/config.json", sq_str_view(text), &err); }

static void refuse(const char *text, const char *part)
{
    if (parse(text) != SQ_E_MODEL_FILE) fail_msg("accepted: %s", text);
    if (!strstr(err.message, part) || !strstr(err.message, "m/config.json")) fail_msg("'%s' does not say '%s'", err.message, part);
}

#define SHAPE "\"hidden_size\":384,\"num_hidden_layers\":6,\"num_attention_heads\":12,\"intermediate_size\":1536,"
#define TABLES "\"max_position_embeddings\":512,\"vocab_size\":30522"
#define BERT_WITH(more) "{\"model_type\":\"bert\"," SHAPE TABLES more "}"

static void test_bert(void **state)
{
    (void)state;
    assert_int_equal(parse(BERT_WITH(",\"architectures\":[\"BertForSequenceClassification\"],\"layer_norm_eps\":1e-5,"
                                     "\"position_embedding_type\":\"absolute\",\"is_decoder\":false,\"hidden_act\":\"gelu_new\","
                                     "\"id2label\":{\"0\":\"negative\",\"1\":\"positive\"},\"squall_normalise\":\"tweet\"")), 0);
    assert_string_equal(sq_model_config_class(&config), "BertForSequenceClassification");
    assert_int_equal(config.hidden, 384);
    assert_int_equal(config.layers, 6);
    assert_int_equal(config.heads, 12);
    assert_int_equal(config.head_size, 32);
    assert_int_equal(config.intermediate, 1536);
    assert_int_equal(config.positions, 512);
    assert_int_equal(config.vocabulary, 30522);
    assert_int_equal(config.token_types, 2);
    assert_int_equal(config.activation, SQ_ACTIVATION_GELU_TANH);
    assert_true(config.layer_norm_eps == 1e-5f);
    assert_int_equal(config.labels_count, 2);
    assert_string_equal(config.labels[1], "positive");
    assert_int_equal(config.normalise, SQ_NORMALISE_TWEET);
}

static void test_distilbert(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"architectures\":[\"DistilBertForSequenceClassification\"],\"dim\":768,\"n_layers\":6,\"n_heads\":12,"
                           "\"hidden_dim\":3072,\"activation\":\"relu\",\"layer_norm_eps\":7e-1," TABLES "}"), 0);
    assert_string_equal(config.architecture->model_type, "distilbert");
    assert_int_equal(config.hidden, 768);
    assert_int_equal(config.intermediate, 3072);
    assert_int_equal(config.token_types, 0);
    assert_int_equal(config.activation, SQ_ACTIVATION_RELU);
    assert_true(config.layer_norm_eps == 1e-12f); /* fixed */
    assert_int_equal(config.labels_count, 0);
    assert_int_equal(config.normalise, SQ_NORMALISE_NONE);
}

/* The first token stands behind the padding's position. */
static void test_roberta(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"model_type\":\"roberta\",\"type_vocab_size\":1," SHAPE TABLES "}"), 0);
    assert_string_equal(sq_model_config_class(&config), "RobertaForSequenceClassification");
    assert_int_equal(config.position_rows, 512);
    assert_int_equal(config.positions, 510);
    assert_int_equal(config.first_position, 2);
    assert_int_equal(config.padding_id, 1);
    assert_int_equal(config.token_types, 1);
    assert_int_equal(parse("{\"architectures\":[\"CamembertForSequenceClassification\"],\"pad_token_id\":0," SHAPE TABLES "}"), 0);
    assert_int_equal(config.positions, 511);
    refuse("{\"model_type\":\"roberta\",\"pad_token_id\":510," SHAPE TABLES "}", "max_position_embeddings: 512 leaves no room");
    refuse("{\"model_type\":\"roberta\",\"pad_token_id\":-1," SHAPE TABLES "}", "pad_token_id");
}

static void test_narrow_embeddings_and_shared_layers(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"model_type\":\"electra\",\"embedding_size\":384," SHAPE TABLES "}"), 0);
    assert_false(sq_model_config_projects(&config));
    assert_int_equal(parse("{\"model_type\":\"electra\"," SHAPE TABLES "}"), 0);
    assert_int_equal(config.embedding, 128);
    assert_true(sq_model_config_projects(&config));
    assert_int_equal(parse("{\"model_type\":\"albert\",\"embedding_size\":384," SHAPE TABLES "}"), 0);
    assert_true(sq_model_config_projects(&config));
    assert_int_equal(config.stored_layers, 1);
    refuse("{\"model_type\":\"albert\",\"inner_group_num\":2," SHAPE TABLES "}", "inner_group_num: 2");
    refuse("{\"model_type\":\"albert\",\"num_hidden_groups\":7," SHAPE TABLES "}", "num_hidden_groups: 7");
    assert_int_equal(parse("{\"model_type\":\"mpnet\"," SHAPE TABLES "}"), 0);
    assert_int_equal(config.bias_buckets, SQ_BIAS_BUCKETS);
    assert_int_equal(config.token_types, 0);
    refuse("{\"model_type\":\"mpnet\",\"relative_attention_num_buckets\":16," SHAPE TABLES "}", "relative_attention_num_buckets: 16");
}

static int function_of(const char *more, unsigned labels)
{
    char text[1024];
    snprintf(text, sizeof text, BERT_WITH("%s"), more);
    assert_int_equal(parse(text), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, labels, &err), 0);
    return (int)config.function;
}

/* transformers' rules: function_to_apply, then problem_type, then the number of labels. */
static void test_function(void **state)
{
    (void)state;
    assert_int_equal(function_of("", 2), SQ_FUNCTION_SOFTMAX);
    assert_int_equal(function_of("", 1), SQ_FUNCTION_SIGMOID);
    assert_int_equal(function_of(",\"problem_type\":\"single_label_classification\"", 1), SQ_FUNCTION_SIGMOID);
    assert_int_equal(function_of(",\"problem_type\":\"multi_label_classification\"", 3), SQ_FUNCTION_SIGMOID);
    assert_int_equal(function_of(",\"problem_type\":\"regression\"", 1), SQ_FUNCTION_NONE);
    assert_int_equal(function_of(",\"problem_type\":\"regression\",\"function_to_apply\":\"sigmoid\"", 1), SQ_FUNCTION_SIGMOID);
    assert_int_equal(function_of(",\"function_to_apply\":\"softmax\"", 1), SQ_FUNCTION_SOFTMAX);
    assert_int_equal(function_of(",\"function_to_apply\":\"none\"", 4), SQ_FUNCTION_NONE);
}

/* Vectors need no head: whatever class the folder was saved from will do. */
static void test_embed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        BERT_WITH(",\"architectures\":[\"BertModel\"],\"id2label\":7"),
        BERT_WITH(",\"architectures\":[\"BertForMaskedLM\"]"),
        BERT_WITH(""),
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(sq_model_config_parse(&config, SQ_TASK_EMBED, "m", sq_str_view(texts[i]), &err), 0);
        assert_string_equal(sq_model_config_class(&config), "bert");
    }
    assert_int_equal(sq_model_config_parse(&config, SQ_TASK_EMBED, "m", sq_str_view("{\"model_type\":\"clip\"}"), &err), SQ_E_MODEL_FILE);
}

static void test_refuses_architectures(void **state)
{
    (void)state;
    refuse("{" SHAPE TABLES "}", "model_type: missing");
    refuse("{\"model_type\":\"deberta-v2\"," SHAPE TABLES "}", "model_type: deberta-v2 can't be run: its attention mixes content and position");
    refuse("{\"model_type\":\"megabert\"," SHAPE TABLES "}", "megabert can't be run: take a model of one of these types: bert, distilbert, roberta");
    refuse("{\"architectures\":[\"GPT2Model\"]," SHAPE TABLES "}", "architectures: GPT2Model can't be run");
    refuse(BERT_WITH(",\"architectures\":[\"BertForMaskedLM\"]"), "fine-tuned as a BertForSequenceClassification");
    refuse(BERT_WITH(",\"architectures\":[\"DistilBertForSequenceClassification\"]"), "architectures");
    refuse(BERT_WITH(",\"architectures\":[\"\\u001b[2J\"]"), "?[2J is not a classifier"); /* no control characters in messages */
    refuse(BERT_WITH(",\"architectures\":7"), "architectures");
    refuse(BERT_WITH(",\"position_embedding_type\":\"relative_key\""), "position_embedding_type: 'relative_key'");
    refuse(BERT_WITH(",\"is_decoder\":true"), "is_decoder");
    refuse(BERT_WITH(",\"hidden_act\":\"silu\""), "hidden_act: 'silu'");
    refuse(BERT_WITH(",\"problem_type\":\"other\""), "problem_type: 'other'");
    refuse(BERT_WITH(",\"function_to_apply\":\"square\""), "function_to_apply: 'square'");
    refuse(BERT_WITH(",\"squall_normalise\":\"loud\""), "squall_normalise: 'loud'");
}

static void test_refuses_numbers(void **state)
{
    (void)state;
    refuse("{\"model_type\":\"bert\"," TABLES "}", "hidden_size: missing");
    refuse("{\"model_type\":\"bert\"," SHAPE "\"vocab_size\":5}", "max_position_embeddings: missing");
    static const struct {
        const char *hidden, *heads, *part;
    } rows[] = {
        {"0", "12", "hidden_size: 0"},      {"-384", "12", "hidden_size: -384"}, {"384.0", "12", "hidden_size"},
        {"\"384\"", "12", "hidden_size"},   {"16385", "1", "hidden_size: 16385"}, {"384", "0", "num_attention_heads: 0"},
        {"384", "7", "not a multiple"},     {"384", "1025", "num_attention_heads"}, {"9223372036854775807", "1", "hidden_size"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"model_type\":\"bert\",\"hidden_size\":%s,\"num_hidden_layers\":6,\"num_attention_heads\":%s,\"intermediate_size\":8," TABLES "}",
                 rows[i].hidden, rows[i].heads);
        refuse(text, rows[i].part);
    }
    refuse(BERT_WITH(",\"layer_norm_eps\":-1"), "layer_norm_eps");
    refuse(BERT_WITH(",\"type_vocab_size\":0"), "type_vocab_size");
    refuse(BERT_WITH(",\"vocab_size\":3"), "duplicate");
    refuse("[]", "expected a JSON object");
    refuse("{", "not valid JSON");
}

static void test_labels(void **state)
{
    (void)state;
    assert_int_equal(parse(BERT_WITH("")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, 3, &err), 0);
    assert_string_equal(config.labels[2], "LABEL_2");
    assert_int_equal(config.function, SQ_FUNCTION_SOFTMAX);
    assert_int_equal(parse(BERT_WITH("")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, 1, &err), 0);
    assert_int_equal(config.function, SQ_FUNCTION_SIGMOID); /* one label: sigmoid, as in transformers */
    assert_int_equal(parse(BERT_WITH("")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, SQ_LABELS_MAX + 1, &err), SQ_E_MODEL_FILE);
    assert_int_equal(parse(BERT_WITH(",\"id2label\":{\"0\":\"a\",\"1\":\"b\"}")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, 3, &err), SQ_E_MODEL_FILE);
    assert_int_equal(sq_model_config_set_labels_count(&config, 2, &err), 0);
    assert_int_equal(parse(BERT_WITH(",\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"problem_type\":\"multi_label_classification\"")), 0);
    assert_int_equal(config.function, SQ_FUNCTION_SIGMOID);
    refuse(BERT_WITH(",\"id2label\":{}"), "id2label: 0 labels");
    refuse(BERT_WITH(",\"id2label\":[\"a\"]"), "id2label: expected an object");
    refuse(BERT_WITH(",\"id2label\":{\"1\":\"a\"}"), "\"0\" is not among them");
    refuse(BERT_WITH(",\"id2label\":{\"0\":7}"), "\"0\" is not among them");
    refuse(BERT_WITH(",\"id2label\":{\"0\":\"\"}"), "label 0 is empty");
    refuse(BERT_WITH(",\"id2label\":{\"0\":\"a\\nb\"}"), "control characters");
    refuse(BERT_WITH(",\"id2label\":{\"0\":\"a\",\"1\":\"a\"}"), "same name 'a'");
    refuse(BERT_WITH(",\"num_labels\":65"), "num_labels: 65");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bert),           cmocka_unit_test(test_distilbert), cmocka_unit_test(test_refuses_architectures),
        cmocka_unit_test(test_refuses_numbers), cmocka_unit_test(test_labels),      cmocka_unit_test(test_roberta),
        cmocka_unit_test(test_narrow_embeddings_and_shared_layers), cmocka_unit_test(test_function), cmocka_unit_test(test_embed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
