/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a file of the cache. As it is, it is refused with a reason: its hashes and the build's ID are beyond guessing, unless it is
 * ours. Then its payload is taken for weights behind their facts, as if the hashes had fitted: it is refused, or a model's places lie within. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cache.h"
#include "engine/model/weights.h"
#include "tests/fuzz/require.h"

SOUND_AT_LEAST(1);

static const char config_text[] = "{\"model_type\":\"bert\",\"architectures\":[\"BertForSequenceClassification\"],\"vocab_size\":5,\"hidden_size\":4,"
                                  "\"num_hidden_layers\":1,\"num_attention_heads\":1,\"intermediate_size\":4,\"max_position_embeddings\":4}";

static void require_inside(const struct sq_linear *linear, const unsigned char *block, size_t bytes)
{
    const unsigned char *at = linear->weight;
    REQUIRE(at >= block && at + sq_linear_bytes(linear->rung, linear->outputs, linear->inputs) <= block + bytes);
}

static void lend(const uint8_t *data, size_t bytes)
{
    static struct sq_model_config config;
    struct sq_precision_plan plan;
    struct sq_weights_facts facts;
    struct sq_weights weights;
    struct sq_err err = {0};
    const struct sq_kernels *kernels = sq_kernels_choose("openblas");
    REQUIRE(sq_model_config_parse(&config, SQ_TASK_CLASSIFY, "config.json", SQ_STR(config_text), &err) == 0);
    REQUIRE(sq_precision_plan_fixed(&plan, kernels, SQ_PRECISION_INT8, &err) == 0);
    if (bytes < sizeof facts) return;
    memcpy(&facts, data, sizeof facts);
    const unsigned char *block = data + sizeof facts;
    unsigned labels_count = config.labels_count;
    if (sq_weights_lend(&weights, &config, kernels, &plan, &facts, block, bytes - sizeof facts, &err) < 0) {
        REQUIRE(err.message[0] && !weights.block && config.labels_count == labels_count);
        return;
    }
    sq_fuzz_sound++;
    REQUIRE(weights.bytes == bytes - sizeof facts && config.labels_count == facts.labels_count);
    require_inside(&weights.layers[0].qkv, block, weights.bytes);
    require_inside(&weights.layers[0].down, block, weights.bytes);
    require_inside(&weights.classifier, block, weights.bytes);
    sq_weights_close(&weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_str payload = {0};
    const char *problem = sq_cache_check((struct sq_str){(const char *)data, bytes}, "test", &payload);
    REQUIRE(problem ? problem[0] : payload.bytes == bytes - SQ_CACHE_HEADER_BYTES);
    lend(data, bytes);
    return 0;
}
