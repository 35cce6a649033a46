/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a model.safetensors.index.json. Whatever it holds, it is refused with a message or gives names of files in the folder, each
 * once and in order. */
#include <stdint.h>
#include <string.h>

#include "engine/model/shards.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_shards shards;
    struct sq_err err = {0};
    int status = sq_shards_parse(&shards, "index.json", (struct sq_str){(const char *)data, bytes}, &err);
    if (status < 0) {
        REQUIRE(status == SQ_E_MODEL_FILE && err.code == status && strstr(err.message, "index.json"));
        REQUIRE(shards.names == NULL && shards.count == 0);
        return 0;
    }
    REQUIRE(shards.is_split && shards.count >= 1 && shards.count <= SQ_SHARDS_MAX);
    for (size_t i = 0; i < shards.count; i++) {
        REQUIRE(!strchr(shards.names[i], '/') && strlen(shards.names[i]) <= SQ_SHARD_NAME_BYTES_MAX);
        REQUIRE(i == 0 || strcmp(shards.names[i - 1], shards.names[i]) < 0);
    }
    sq_shards_close(&shards);
    return 0;
}
