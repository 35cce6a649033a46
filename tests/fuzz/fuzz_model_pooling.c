/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a modules.json and the config.json of a Pooling module in one. Whatever it holds, it is refused with a message or gives a
 * folder inside the model's and a way of pooling that can be run. */
#include <stdint.h>
#include <string.h>

#include "engine/model/pooling.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_err err = {0};
    char path[SQ_MODULE_PATH_BYTES];
    enum sq_pooling pooling = SQ_POOLING_MEAN;
    struct sq_str text = {(const char *)data, bytes};
    int status = sq_modules_parse(path, "modules.json", text, &err);
    if (status < 0) REQUIRE(status == SQ_E_MODEL_FILE && strstr(err.message, "modules.json"));
    else REQUIRE(strlen(path) < sizeof path && !strchr(path, '/') && path[0] != '.');
    status = sq_pooling_parse(&pooling, "config.json", text, &err);
    if (status < 0) REQUIRE(status == SQ_E_MODEL_FILE && strstr(err.message, "config.json"));
    else REQUIRE(pooling == SQ_POOLING_FIRST || pooling == SQ_POOLING_MEAN);
    return 0;
}
