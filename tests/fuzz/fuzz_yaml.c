/* SPDX-License-Identifier: Apache-2.0 */
/* YAML trees: a tree within its bounds, or an error that names the file. */
#include <string.h>

#include "tests/fuzz/require.h"
#include "worker/io/yaml.h"

static unsigned count(const struct sq_yaml *node, unsigned depth)
{
    unsigned sum = 1;
    REQUIRE(depth <= SQ_YAML_DEPTH_MAX && node->line > 0 && node->column > 0);
    for (unsigned i = 0; i < node->count; i++) sum += count(&node->items[i], depth + 1);
    return sum;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t bytes)
{
    struct sq_yaml *root;
    struct sq_err err;
    int status = sq_yaml_parse(&root, "input", (struct sq_str){(const char *)data, bytes}, &err);
    if (status) {
        REQUIRE(status == SQ_E_CONFIG && strncmp(err.message, "input", 5) == 0);
        return 0;
    }
    if (root->count) REQUIRE(count(root, 0) <= SQ_YAML_NODES_MAX);
    sq_yaml_close(root);
    return 0;
}
