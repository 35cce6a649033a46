/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a config.json. Whatever it holds, it is refused with a message or gives numbers that the loader may rely on. */
#include <string.h>

#include "engine/model/config.h"
#include "tests/fuzz/require.h"

static bool in_range(unsigned value, unsigned max) { return value >= 1 && value <= max; }

static void check(const struct sq_model_config *config)
{
    REQUIRE(in_range(config->hidden, SQ_HIDDEN_MAX) && in_range(config->layers, SQ_LAYERS_MAX) && in_range(config->heads, SQ_HEADS_MAX));
    REQUIRE(in_range(config->intermediate, SQ_INTERMEDIATE_MAX) && in_range(config->vocabulary, SQ_VOCABULARY_MAX));
    REQUIRE(config->positions >= 2 && config->position_rows <= SQ_POSITIONS_MAX && config->token_types <= SQ_TOKEN_TYPES_MAX);
    REQUIRE(config->positions + config->first_position == config->position_rows && config->padding_id < (int)config->position_rows);
    REQUIRE(in_range(config->embedding, SQ_HIDDEN_MAX) && in_range(config->stored_layers, config->layers));
    REQUIRE(config->embedding == config->hidden || sq_model_config_projects(config));
    REQUIRE(config->head_size * config->heads == config->hidden);
    REQUIRE(config->layer_norm_eps >= 0 && config->layer_norm_eps <= 1);
    REQUIRE(config->labels_count <= SQ_LABELS_MAX);
    for (unsigned i = 0; i < config->labels_count; i++) REQUIRE(strlen(config->labels[i]) <= SQ_LABEL_BYTES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct sq_model_config config;
    struct sq_err err = {0};
    if (bytes > SQ_CONFIG_BYTES_MAX) return 0;
    enum sq_task task = bytes % 2 ? SQ_TASK_EMBED : SQ_TASK_CLASSIFY;
    int status = sq_model_config_parse(&config, task, "config.json", (struct sq_str){(const char *)data, bytes}, &err);
    if (status) REQUIRE(status == SQ_E_MODEL_FILE && err.code == status && strstr(err.message, "config.json"));
    else check(&config);
    if (status == 0 && sq_model_config_set_labels_count(&config, (unsigned)(bytes % 70), &err) == 0) check(&config);
    return 0;
}
