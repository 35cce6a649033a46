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

static int parse(const char *text) { return sq_model_config_parse(&config, "m/config.json", sq_str_view(text), &err); }

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
    assert_string_equal(config.architecture_name, "BertForSequenceClassification");
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
    assert_false(config.multi_label);
}

static void test_distilbert(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"architectures\":[\"DistilBertForSequenceClassification\"],\"dim\":768,\"n_layers\":6,\"n_heads\":12,"
                           "\"hidden_dim\":3072,\"activation\":\"relu\",\"layer_norm_eps\":7e-1," TABLES "}"), 0);
    assert_int_equal(config.architecture, SQ_ARCHITECTURE_DISTILBERT);
    assert_int_equal(config.hidden, 768);
    assert_int_equal(config.intermediate, 3072);
    assert_int_equal(config.token_types, 0);
    assert_int_equal(config.activation, SQ_ACTIVATION_RELU);
    assert_true(config.layer_norm_eps == 1e-12f); /* fixed */
    assert_int_equal(config.labels_count, 0);
    assert_int_equal(config.normalise, SQ_NORMALISE_NONE);
}

static void test_refuses_architectures(void **state)
{
    (void)state;
    refuse("{" SHAPE TABLES "}", "model_type: missing");
    refuse("{\"model_type\":\"roberta\"," SHAPE TABLES "}", "roberta can't be run");
    refuse(BERT_WITH(",\"architectures\":[\"BertForMaskedLM\"]"), "BertForMaskedLM can't be run");
    refuse(BERT_WITH(",\"architectures\":[\"DistilBertForSequenceClassification\"]"), "architectures");
    refuse(BERT_WITH(",\"architectures\":[\"\\u001b[2J\"]"), "?[2J can't be run"); /* no control characters in messages */
    refuse(BERT_WITH(",\"architectures\":7"), "architectures");
    refuse(BERT_WITH(",\"position_embedding_type\":\"relative_key\""), "position_embedding_type: 'relative_key'");
    refuse(BERT_WITH(",\"is_decoder\":true"), "is_decoder");
    refuse(BERT_WITH(",\"hidden_act\":\"silu\""), "hidden_act: 'silu'");
    refuse(BERT_WITH(",\"problem_type\":\"regression\""), "problem_type");
    refuse(BERT_WITH(",\"problem_type\":\"other\""), "problem_type: 'other'");
    refuse(BERT_WITH(",\"function_to_apply\":\"none\""), "function_to_apply: 'none'");
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
    assert_false(config.multi_label);
    assert_int_equal(parse(BERT_WITH("")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, 1, &err), 0);
    assert_true(config.multi_label); /* one label: sigmoid, as in transformers */
    assert_int_equal(parse(BERT_WITH("")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, SQ_LABELS_MAX + 1, &err), SQ_E_MODEL_FILE);
    assert_int_equal(parse(BERT_WITH(",\"id2label\":{\"0\":\"a\",\"1\":\"b\"}")), 0);
    assert_int_equal(sq_model_config_set_labels_count(&config, 3, &err), SQ_E_MODEL_FILE);
    assert_int_equal(sq_model_config_set_labels_count(&config, 2, &err), 0);
    assert_int_equal(parse(BERT_WITH(",\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"problem_type\":\"multi_label_classification\"")), 0);
    assert_true(config.multi_label);
    assert_int_equal(parse(BERT_WITH(",\"id2label\":{\"0\":\"a\"},\"function_to_apply\":\"softmax\"")), 0);
    assert_false(config.multi_label);
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
        cmocka_unit_test(test_refuses_numbers), cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
