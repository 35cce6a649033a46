/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/architecture.h"

#include <string.h>

static const struct sq_config_names usual_config = {"hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
                                                    "hidden_act"};
static const struct sq_config_names distilbert_config = {"dim", "n_layers", "n_heads", "hidden_dim", "activation"};

static const struct sq_layer_names bert_layer = {
    "encoder.layer.", ".",
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "attention.output.LayerNorm",
    "intermediate.dense", "output.dense", "output.LayerNorm",
};
static const struct sq_layer_names distilbert_layer = {
    "transformer.layer.", ".",
    "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin", "sa_layer_norm",
    "ffn.lin1", "ffn.lin2", "output_layer_norm",
};
static const struct sq_layer_names mpnet_layer = {
    "encoder.layer.", ".",
    "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o", "attention.LayerNorm",
    "intermediate.dense", "output.dense", "output.LayerNorm",
};
static const struct sq_layer_names albert_layer = {
    "encoder.albert_layer_groups.", ".albert_layers.0.",
    "attention.query", "attention.key", "attention.value", "attention.dense", "attention.LayerNorm",
    "ffn", "ffn_output", "full_layer_layer_norm",
};

static const struct sq_head_names bert_head = {"pooler.dense", true, SQ_ACTIVATION_TANH, "classifier"};
static const struct sq_head_names albert_head = {"pooler", true, SQ_ACTIVATION_TANH, "classifier"};
static const struct sq_head_names distilbert_head = {"pre_classifier", false, SQ_ACTIVATION_RELU, "classifier"};
static const struct sq_head_names roberta_head = {"classifier.dense", false, SQ_ACTIVATION_TANH, "classifier.out_proj"};
static const struct sq_head_names electra_head = {"classifier.dense", false, SQ_ACTIVATION_GELU_ERF, "classifier.out_proj"};

#define ROBERTA(type, name) \
    {.model_type = type, .class_name = name, .prefix = "roberta.", .config = &usual_config, .layer = &bert_layer, .head = &roberta_head, \
     .has_token_types = true, .counts_from_padding = true, .padding_id = 1}

static const struct sq_architecture architectures[] = {
    {.model_type = "bert", .class_name = "BertForSequenceClassification", .prefix = "bert.", .config = &usual_config, .layer = &bert_layer,
     .head = &bert_head, .has_token_types = true},
    {.model_type = "distilbert", .class_name = "DistilBertForSequenceClassification", .prefix = "distilbert.", .config = &distilbert_config,
     .layer = &distilbert_layer, .head = &distilbert_head, .has_fixed_eps = true},
    ROBERTA("roberta", "RobertaForSequenceClassification"),
    ROBERTA("xlm-roberta", "XLMRobertaForSequenceClassification"),
    ROBERTA("camembert", "CamembertForSequenceClassification"),
    {.model_type = "electra", .class_name = "ElectraForSequenceClassification", .prefix = "electra.", .config = &usual_config,
     .layer = &bert_layer, .head = &electra_head, .projection = "embeddings_project", .has_token_types = true},
    {.model_type = "mpnet", .class_name = "MPNetForSequenceClassification", .prefix = "mpnet.", .config = &usual_config, .layer = &mpnet_layer,
     .head = &roberta_head, .position_bias = "encoder.relative_attention_bias.weight", .counts_from_padding = true, .padding_id = 1},
    {.model_type = "albert", .class_name = "AlbertForSequenceClassification", .prefix = "albert.", .config = &usual_config,
     .layer = &albert_layer, .head = &albert_head, .projection = "encoder.embedding_hidden_mapping_in", .projects_always = true,
     .has_token_types = true, .shares_layers = true},
};

const struct sq_architecture *sq_architecture_at(size_t index)
{
    return index < sizeof architectures / sizeof *architectures ? &architectures[index] : NULL;
}

const char *sq_architecture_advice(const char *model_type)
{
    static const struct {
        const char *model_type, *advice;
    } rows[] = {
        {"deberta", "its attention mixes content and position: take a BERT, RoBERTa or MPNet model of the same task"},
        {"deberta-v2", "its attention mixes content and position: take a BERT, RoBERTa or MPNet model of the same task"},
        {"modernbert", "its rotary positions and local attention are not built in: take a BERT or RoBERTa model of the same task"},
        {"xlnet", "its attention is relative to segments: take a BERT or RoBERTa model of the same task"},
        {"xlm", "take an XLM-RoBERTa model of the same task"},
        {"longformer", "its windowed attention is not built in: take a RoBERTa model and cut the texts to 512 tokens"},
        {"big_bird", "its sparse attention is not built in: take a BERT or RoBERTa model and cut the texts to 512 tokens"},
        {"t5", "it generates text: take an encoder that was fine-tuned to classify"},
        {"bart", "it generates text: take an encoder that was fine-tuned to classify"},
        {"gpt2", "it generates text: take an encoder that was fine-tuned to classify"},
        {"llama", "it generates text: take an encoder that was fine-tuned to classify"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].model_type, model_type) == 0) return rows[i].advice;
    }
    return NULL;
}
