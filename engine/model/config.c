/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"

enum { LIST_BYTES = 256 };

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

/* "bert, distilbert, ..." */
static const char *list_architectures(char list[LIST_BYTES])
{
    int bytes = 0;
    const struct sq_architecture *known;
    for (size_t i = 0; (known = sq_architecture_at(i)) && bytes < LIST_BYTES; i++)
        bytes += snprintf(list + bytes, LIST_BYTES - (size_t)bytes, "%s%s", i ? ", " : "", known->model_type);
    return list;
}

static int refuse_type(const struct reader *reader, const char *key, const char *value)
{
    char list[LIST_BYTES];
    const char *advice = sq_architecture_advice(value);
    if (advice) return fail(reader, "%s: %s can't be run: %s", key, value, advice);
    return fail(reader, "%s: %s can't be run: take a model of one of these types: %s", key, value, list_architectures(list));
}

/* Of the model's type, but without the head that the task needs. */
static int refuse_class(const struct reader *reader, const char *class_name, const struct sq_architecture *known)
{
    return fail(reader,
                "architectures: %s is not a classifier that can be run: take a folder that was fine-tuned as a %s, or use task embed for sentence "
                "vectors", class_name, known->class_name);
}

/* By model_type and, to classify, the class; one of the two may be missing. */
static int choose_architecture(const struct reader *reader, enum sq_task task, const struct sq_architecture **architecture)
{
    const char *class_name, *model_type;
    const struct sq_architecture *known, *of_type = NULL;
    int status = read_class_name(reader, &class_name);
    if (status == 0) status = read_text(reader, "model_type", &model_type);
    if (status < 0) return status;
    if (!class_name && !model_type) return fail(reader, "%s: missing, and no architectures either: not a transformers model", "model_type");
    for (size_t i = 0; (known = sq_architecture_at(i)); i++) {
        bool type_fits = !model_type || strcmp(model_type, known->model_type) == 0;
        bool class_fits = !class_name || strcmp(class_name, known->class_name) == 0;
        if (model_type && type_fits) of_type = known;
        if (!type_fits || (!class_fits && !(task == SQ_TASK_EMBED && model_type))) continue;
        *architecture = known;
        return 0;
    }
    if (of_type) return refuse_class(reader, class_name, of_type);
    return model_type ? refuse_type(reader, "model_type", model_type) : refuse_type(reader, "architectures", class_name);
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

static int read_shape(struct sq_model_config *config, const struct reader *reader)
{
    const struct sq_config_names *names = config->architecture->config;
    const struct {
        const char *key;
        int64_t max;
        unsigned *value;
    } numbers[] = {
        {names->hidden, SQ_HIDDEN_MAX, &config->hidden},
        {names->layers, SQ_LAYERS_MAX, &config->layers},
        {names->heads, SQ_HEADS_MAX, &config->heads},
        {names->intermediate, SQ_INTERMEDIATE_MAX, &config->intermediate},
        {"max_position_embeddings", SQ_POSITIONS_MAX, &config->position_rows},
        {"vocab_size", SQ_VOCABULARY_MAX, &config->vocabulary},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int status = read_number(reader, numbers[i].key, numbers[i].max, numbers[i].value);
        if (status < 0) return status;
    }
    if (config->hidden % config->heads != 0)
        return fail(reader, "%s: %u is not a multiple of %s %u", names->hidden, config->hidden, names->heads, config->heads);
    config->head_size = config->hidden / config->heads;
    return 0;
}

static int read_int(const struct reader *reader, const char *key, int64_t min, int64_t max, int64_t fallback, unsigned *value)
{
    int64_t number = 0;
    int status = sq_json_get_int(reader->object, key, min, max, fallback, &number, SQ_E_MODEL_FILE, reader->err);
    *value = (unsigned)number;
    return status;
}

/* Where a text's first token stands, and so how long a text can be. */
static int read_positions(struct sq_model_config *config, const struct reader *reader)
{
    int64_t padding_id = -1;
    if (config->architecture->counts_from_padding) {
        int status = sq_json_get_int(reader->object, "pad_token_id", 0, SQ_VOCABULARY_MAX, config->architecture->padding_id, &padding_id,
                                     SQ_E_MODEL_FILE, reader->err);
        if (status < 0) return status;
    }
    config->padding_id = (int)padding_id;
    config->first_position = (unsigned)(padding_id + 1);
    if (config->position_rows < config->first_position + 2)
        return fail(reader, "%s: %u leaves no room for the first and the last token of a text", "max_position_embeddings",
                    config->position_rows);
    config->positions = config->position_rows - config->first_position;
    return 0;
}

/* What only some architectures have. */
static int read_particulars(struct sq_model_config *config, const struct reader *reader)
{
    const struct sq_architecture *architecture = config->architecture;
    int status = 0;
    config->embedding = config->hidden;
    config->stored_layers = config->layers;
    if (architecture->has_token_types) status = read_int(reader, "type_vocab_size", 1, SQ_TOKEN_TYPES_MAX, 2, &config->token_types);
    if (status == 0 && architecture->projection)
        status = read_int(reader, "embedding_size", 1, SQ_HIDDEN_MAX, 128, &config->embedding);
    if (status == 0 && architecture->shares_layers) {
        unsigned inner;
        status = read_int(reader, "num_hidden_groups", 1, config->layers, 1, &config->stored_layers);
        if (status == 0) status = read_int(reader, "inner_group_num", 1, SQ_LAYERS_MAX, 1, &inner);
        if (status == 0 && inner != 1) return fail(reader, "inner_group_num: %u can't be run: take a model that has 1, as all known ones do", inner);
    }
    if (status == 0 && architecture->position_bias) {
        status = read_int(reader, "relative_attention_num_buckets", 1, SQ_BIAS_BUCKETS, SQ_BIAS_BUCKETS, &config->bias_buckets);
        if (status == 0 && config->bias_buckets != SQ_BIAS_BUCKETS)
            return fail(reader, "relative_attention_num_buckets: %u can't be run: transformers itself always counts %d", config->bias_buckets,
                        SQ_BIAS_BUCKETS);
    }
    return status;
}

static int read_eps(struct sq_model_config *config, const struct reader *reader)
{
    double eps = 1e-12;
    int status = 0;
    if (!config->architecture->has_fixed_eps)
        status = sq_json_get_real(reader->object, "layer_norm_eps", 0, 1, eps, &eps, SQ_E_MODEL_FILE, reader->err);
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

struct function_word {
    const char *word;
    enum sq_function function;
};

static int read_function_word(const struct reader *reader, const char *key, const struct function_word *words, enum sq_function *function)
{
    const char *value;
    int status = read_text(reader, key, &value);
    if (status < 0 || !value) return status;
    for (; words->word; words++) {
        if (strcmp(words->word, value) != 0) continue;
        *function = words->function;
        return 0;
    }
    return fail(reader, "%s: '%s' is not a word that transformers has there", key, value);
}

/* How logits become scores: function_to_apply, else what transformers makes of problem_type, else left to the number of labels. */
static int read_function(struct sq_model_config *config, const struct reader *reader)
{
    static const struct function_word problem_types[] = {
        {"single_label_classification", SQ_FUNCTION_AUTO},
        {"multi_label_classification", SQ_FUNCTION_SIGMOID},
        {"regression", SQ_FUNCTION_NONE},
        {NULL, SQ_FUNCTION_AUTO},
    };
    static const struct function_word functions_to_apply[] = {
        {"softmax", SQ_FUNCTION_SOFTMAX},
        {"sigmoid", SQ_FUNCTION_SIGMOID},
        {"none", SQ_FUNCTION_NONE},
        {NULL, SQ_FUNCTION_AUTO},
    };
    config->function = SQ_FUNCTION_AUTO;
    int status = read_function_word(reader, "problem_type", problem_types, &config->function);
    if (status == 0) status = read_function_word(reader, "function_to_apply", functions_to_apply, &config->function);
    return status;
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
    bool classifies = config->task == SQ_TASK_CLASSIFY;
    if (!json_is_object(reader->object)) return fail(reader, "expected a JSON object");
    int status = choose_architecture(reader, config->task, &config->architecture);
    if (status == 0) status = refuse_unsupported(reader);
    if (status == 0) status = read_shape(config, reader);
    if (status == 0) status = read_positions(config, reader);
    if (status == 0) status = read_particulars(config, reader);
    if (status == 0) status = read_eps(config, reader);
    if (status == 0) status = read_activation(config, reader, config->architecture->config->activation);
    if (status == 0 && classifies) status = read_labels(config, reader);
    if (status == 0 && classifies) status = read_function(config, reader);
    if (status == 0) status = read_normalise(config, reader);
    return status;
}

int sq_model_config_parse(struct sq_model_config *config, enum sq_task task, const char *name, struct sq_str text, struct sq_err *err)
{
    json_t *object;
    *config = (struct sq_model_config){.task = task};
    int status = sq_json_parse(&object, name, text, SQ_E_MODEL_FILE, err);
    if (status < 0) return status;
    status = read_config(config, &(struct reader){object, err});
    json_decref(object);
    return status < 0 ? sq_err_prefix(err, "%s: ", name) : 0;
}

int sq_model_config_set_labels_count(struct sq_model_config *config, unsigned rows, struct sq_err *err)
{
    if (rows == 0 || rows > SQ_LABELS_MAX)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the classifier has %u rows, not 1 to %d", rows, SQ_LABELS_MAX);
    bool has_names = config->labels[0][0] != '\0';
    if (has_names && rows != config->labels_count)
        return sq_err_set(err, SQ_E_MODEL_FILE, "the classifier has %u rows, but id2label in config.json names %u labels", rows,
                          config->labels_count);
    for (unsigned id = 0; !has_names && id < rows; id++)
        snprintf(config->labels[id], sizeof config->labels[id], "LABEL_%u", id);
    config->labels_count = rows;
    if (config->function == SQ_FUNCTION_AUTO) config->function = rows == 1 ? SQ_FUNCTION_SIGMOID : SQ_FUNCTION_SOFTMAX;
    return 0;
}

bool sq_model_config_projects(const struct sq_model_config *config)
{
    const struct sq_architecture *architecture = config->architecture;
    return architecture->projection && (architecture->projects_always || config->embedding != config->hidden);
}

const char *sq_model_config_class(const struct sq_model_config *config)
{
    return config->task == SQ_TASK_CLASSIFY ? config->architecture->class_name : config->architecture->model_type;
}
