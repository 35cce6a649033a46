/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"

/* One row an architecture: what its config.json calls the numbers. */
struct architecture_row {
    const char *model_type, *class_name;
    enum sq_architecture architecture;
    const char *hidden, *layers, *heads, *intermediate, *activation;
    bool has_token_types;
};

static const struct architecture_row architectures[] = {
    {"bert", "BertForSequenceClassification", SQ_ARCHITECTURE_BERT, "hidden_size", "num_hidden_layers", "num_attention_heads",
     "intermediate_size", "hidden_act", true},
    {"distilbert", "DistilBertForSequenceClassification", SQ_ARCHITECTURE_DISTILBERT, "dim", "n_layers", "n_heads", "hidden_dim",
     "activation", false},
};
enum { ARCHITECTURES_COUNT = sizeof architectures / sizeof *architectures };
#define SUPPORTED "BertForSequenceClassification and DistilBertForSequenceClassification run"

static const struct {
    const char *name;
    enum sq_activation activation;
} activations[] = {
    {"gelu", SQ_ACTIVATION_GELU_ERF},
    {"gelu_new", SQ_ACTIVATION_GELU_TANH},
    {"gelu_pytorch_tanh", SQ_ACTIVATION_GELU_TANH},
    {"relu", SQ_ACTIVATION_RELU},
};
enum { ACTIVATIONS_COUNT = sizeof activations / sizeof *activations };

/* The parse's own state: the object and where its errors go. */
struct reader {
    const json_t *object;
    struct sq_err *err;
};

static int fail(const struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message may quote the file: control characters are taken out, since it ends up on terminals. */
static int fail(const struct reader *reader, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    return sq_err_set(reader->err, SQ_E_MODEL_FILE, "%s", message);
}

/* A number that must be there. */
static int read_number(const struct reader *reader, const char *key, int64_t max, unsigned *value)
{
    int64_t number;
    int status = sq_json_get_int(reader->object, key, 1, max, 0, &number, SQ_E_MODEL_FILE, reader->err);
    if (status < 0) return status;
    if (number == 0) return fail(reader, "%s: missing; the folder is not a complete Hugging Face model", key);
    *value = (unsigned)number;
    return 0;
}

static int read_text(const struct reader *reader, const char *key, const char **value)
{
    return sq_json_get_text(reader->object, key, NULL, value, SQ_E_MODEL_FILE, reader->err);
}

/* architectures[0], or NULL. */
static int read_class_name(const struct reader *reader, const char **class_name)
{
    const json_t *names = json_object_get(reader->object, "architectures");
    *class_name = NULL;
    if (!names || json_is_null(names)) return 0;
    const json_t *first = json_array_get(names, 0);
    if (!json_is_string(first)) return fail(reader, "%s: expected a list of class names", "architectures");
    *class_name = json_string_value(first);
    return 0;
}

static int choose_architecture(const struct reader *reader, const struct architecture_row **row)
{
    const char *class_name, *model_type;
    int status = read_class_name(reader, &class_name);
    if (status == 0) status = read_text(reader, "model_type", &model_type);
    if (status < 0) return status;
    if (!class_name && !model_type) return fail(reader, "%s: missing, and no architectures either: " SUPPORTED, "model_type");
    for (size_t i = 0; i < ARCHITECTURES_COUNT; i++) {
        const struct architecture_row *known = &architectures[i];
        bool class_fits = !class_name || strcmp(class_name, known->class_name) == 0;
        bool type_fits = !model_type || strcmp(model_type, known->model_type) == 0;
        if (!class_fits || !type_fits) continue;
        *row = known;
        return 0;
    }
    if (class_name) return fail(reader, "architectures: %s can't be run: " SUPPORTED, class_name);
    return fail(reader, "model_type: %s can't be run: " SUPPORTED, model_type);
}

static int refuse_unsupported(const struct reader *reader)
{
    static const char *const flags[] = {"is_decoder", "add_cross_attention", "is_encoder_decoder"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        bool set;
        int status = sq_json_get_bool(reader->object, flags[i], false, &set, SQ_E_MODEL_FILE, reader->err);
        if (status < 0) return status;
        if (set) return fail(reader, "%s: true can't be run: use an encoder", flags[i]);
    }
    const char *positions;
    int status = read_text(reader, "position_embedding_type", &positions);
    if (status < 0 || !positions || strcmp(positions, "absolute") == 0) return status;
    return fail(reader, "position_embedding_type: '%s' can't be run: use a model with absolute positions", positions);
}

static int read_activation(struct sq_model_config *config, const struct reader *reader, const char *key)
{
    const char *name;
    int status = sq_json_get_text(reader->object, key, "gelu", &name, SQ_E_MODEL_FILE, reader->err);
    if (status < 0) return status;
    for (size_t i = 0; i < ACTIVATIONS_COUNT; i++) {
        if (strcmp(activations[i].name, name) != 0) continue;
        config->activation = activations[i].activation;
        return 0;
    }
    return fail(reader, "%s: '%s' can't be run: gelu, gelu_new, gelu_pytorch_tanh and relu can", key, name);
}

static int read_shape(struct sq_model_config *config, const struct reader *reader, const struct architecture_row *row)
{
    const struct {
        const char *key;
        int64_t max;
        unsigned *value;
    } numbers[] = {
        {row->hidden, SQ_HIDDEN_MAX, &config->hidden},
        {row->layers, SQ_LAYERS_MAX, &config->layers},
        {row->heads, SQ_HEADS_MAX, &config->heads},
        {row->intermediate, SQ_INTERMEDIATE_MAX, &config->intermediate},
        {"max_position_embeddings", SQ_POSITIONS_MAX, &config->positions},
        {"vocab_size", SQ_VOCABULARY_MAX, &config->vocabulary},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int status = read_number(reader, numbers[i].key, numbers[i].max, numbers[i].value);
        if (status < 0) return status;
    }
    if (config->hidden % config->heads != 0)
        return fail(reader, "%s: %u is not a multiple of %s %u", row->hidden, config->hidden, row->heads, config->heads);
    if (config->positions < 2) return fail(reader, "%s: no room for [CLS] and [SEP]", "max_position_embeddings");
    config->head_size = config->hidden / config->heads;
    return 0;
}

/* BERT's own; DistilBERT has no token types and a fixed epsilon. */
static int read_bert(struct sq_model_config *config, const struct reader *reader, const struct architecture_row *row)
{
    double eps = 1e-12;
    int64_t token_types = 0;
    int status = 0;
    if (row->has_token_types) {
        status = sq_json_get_int(reader->object, "type_vocab_size", 1, SQ_TOKEN_TYPES_MAX, 2, &token_types, SQ_E_MODEL_FILE, reader->err);
        if (status == 0)
            status = sq_json_get_real(reader->object, "layer_norm_eps", 0, 1, eps, &eps, SQ_E_MODEL_FILE, reader->err);
    }
    config->token_types = (unsigned)token_types;
    config->layer_norm_eps = (float)eps;
    return status;
}

static bool is_good_label(const char *label)
{
    size_t bytes = strlen(label);
    if (bytes == 0 || bytes > SQ_LABEL_BYTES_MAX) return false;
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f) return false;
    }
    return true;
}

static int set_label(struct sq_model_config *config, const struct reader *reader, unsigned id, const char *label)
{
    if (!is_good_label(label))
        return fail(reader, "id2label: the name of label %u is empty, over %d bytes or has control characters", id, SQ_LABEL_BYTES_MAX);
    for (unsigned other = 0; other < id; other++) {
        if (strcmp(config->labels[other], label) == 0)
            return fail(reader, "id2label: labels %u and %u have the same name '%s'", other, id, label);
    }
    memcpy(config->labels[id], label, strlen(label) + 1);
    return 0;
}

static int read_labels(struct sq_model_config *config, const struct reader *reader)
{
    int64_t count;
    int status = sq_json_get_int(reader->object, "num_labels", 1, SQ_LABELS_MAX, 0, &count, SQ_E_MODEL_FILE, reader->err);
    if (status < 0) return status;
    config->labels_count = (unsigned)count;
    const json_t *names = json_object_get(reader->object, "id2label");
    if (!names || json_is_null(names)) return 0;
    if (!json_is_object(names)) return fail(reader, "%s: expected an object of id to name", "id2label");
    size_t names_count = json_object_size(names);
    if (names_count == 0 || names_count > SQ_LABELS_MAX)
        return fail(reader, "id2label: %zu labels, not 1 to %d", names_count, SQ_LABELS_MAX);
    config->labels_count = (unsigned)names_count; /* as in transformers, it beats num_labels */
    for (unsigned id = 0; id < config->labels_count; id++) {
        char key[16];
        snprintf(key, sizeof key, "%u", id);
        const json_t *name = json_object_get(names, key);
        if (!json_is_string(name) || strlen(json_string_value(name)) != json_string_length(name))
            return fail(reader, "id2label: %zu labels, but \"%s\" is not among them as a string", names_count, key);
        status = set_label(config, reader, id, json_string_value(name));
        if (status < 0) return status;
    }
    return 0;
}

/* How logits become probabilities: transformers' rules, function_to_apply first. */
static int read_output(struct sq_model_config *config, const struct reader *reader)
{
    const char *problem, *function;
    int status = read_text(reader, "problem_type", &problem);
    if (status == 0) status = read_text(reader, "function_to_apply", &function);
    if (status < 0) return status;
    if (problem && strcmp(problem, "regression") == 0)
        return fail(reader, "problem_type: %s has no labels to score: use a classification model", problem);
    if (problem && strcmp(problem, "single_label_classification") != 0 && strcmp(problem, "multi_label_classification") != 0)
        return fail(reader, "problem_type: '%s' is not known: expected single_label_classification or multi_label_classification", problem);
    config->multi_label = config->labels_count == 1 || (problem && strcmp(problem, "multi_label_classification") == 0);
    if (!function) return 0;
    config->multi_label = strcmp(function, "sigmoid") == 0;
    if (config->multi_label || strcmp(function, "softmax") == 0) return 0;
    return fail(reader, "function_to_apply: '%s' can't be run: softmax and sigmoid can", function);
}

static int read_normalise(struct sq_model_config *config, const struct reader *reader)
{
    const char *normalise;
    int status = sq_json_get_text(reader->object, "squall_normalise", "none", &normalise, SQ_E_MODEL_FILE, reader->err);
    if (status < 0) return status;
    config->normalise = strcmp(normalise, "tweet") == 0 ? SQ_NORMALISE_TWEET : SQ_NORMALISE_NONE;
    if (config->normalise == SQ_NORMALISE_TWEET || strcmp(normalise, "none") == 0) return 0;
    return fail(reader, "squall_normalise: '%s' is not known: tweet and none are", normalise);
}

static int read_config(struct sq_model_config *config, const struct reader *reader)
{
    const struct architecture_row *row = NULL;
    if (!json_is_object(reader->object)) return fail(reader, "expected a JSON object");
    int status = choose_architecture(reader, &row);
    if (status < 0) return status;
    config->architecture = row->architecture;
    config->architecture_name = row->class_name;
    status = refuse_unsupported(reader);
    if (status == 0) status = read_shape(config, reader, row);
    if (status == 0) status = read_bert(config, reader, row);
    if (status == 0) status = read_activation(config, reader, row->activation);
    if (status == 0) status = read_labels(config, reader);
    if (status == 0) status = read_output(config, reader);
    if (status == 0) status = read_normalise(config, reader);
    return status;
}

int sq_model_config_parse(struct sq_model_config *config, const char *name, struct sq_str text, struct sq_err *err)
{
    json_t *object;
    *config = (struct sq_model_config){0};
    int status = sq_json_parse(&object, name, text, SQ_E_MODEL_FILE, err);
    if (status < 0) return status;
    status = read_config(config, &(struct reader){object, err});
    json_decref(object);
    return status < 0 ? sq_err_prefix(err, "%s: ", name) : 0;
}

int sq_model_config_set_labels_count(struct sq_model_config *config, unsigned rows, struct sq_err *err)
{
    if (config->labels[0][0] != '\0') {
        if (rows == config->labels_count) return 0;
        return sq_err_set(err, SQ_E_MODEL_FILE, "the classifier has %u rows, but id2label in config.json names %u labels", rows,
                          config->labels_count);
    }
    if (rows == 0 || rows > SQ_LABELS_MAX)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the classifier has %u rows, not 1 to %d", rows, SQ_LABELS_MAX);
    if (rows == 1) config->multi_label = true;
    config->labels_count = rows;
    for (unsigned id = 0; id < rows; id++) snprintf(config->labels[id], sizeof config->labels[id], "LABEL_%u", id);
    return 0;
}
