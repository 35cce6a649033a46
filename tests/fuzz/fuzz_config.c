/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file. What loads is shown, and what is shown loads and shows the same. */
#include <stdint.h>
#include <stdlib.h>

#include "worker/io/config_load.h"

#define REQUIRE(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static const char *const environment[] = {"A=a", "EMPTY=", NULL};

/* The configuration that a text makes, or NULL. No files are read: the keys that name some are emptied. */
static struct sq_config *read_text(struct sq_str text)
{
    struct sq_config *config;
    struct sq_err err;
    REQUIRE(sq_config_default(&config, &err) == 0);
    struct sq_config_loader loader = {.config = config, .environment = environment, .file = "fuzz.yaml"};
    sq_config_read_yaml(&loader, text);
    config->kafka.sasl_password_file[0] = config->kafka.ssl_key_password_file[0] = '\0';
    if (loader.problems.count == 0) sq_config_check(&loader, true);
    bool loaded = loader.problems.count == 0;
    REQUIRE(loaded || loader.problems.text.bytes > 0);
    sq_buf_deinit(&loader.problems.text);
    if (!loaded) sq_config_close(config);
    return loaded ? config : NULL;
}

static bool has_secrets(const struct sq_config_pairs *pairs)
{
    for (unsigned i = 0; i < pairs->count; i++)
        if (sq_config_property_secret(pairs->items[i].name)) return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_config *config = read_text((struct sq_str){(const char *)data, bytes});
    if (!config) return 0;
    struct sq_buf first, second;
    sq_buf_init(&first);
    sq_buf_init(&second);
    sq_config_show(config, false, &first);
    if (!has_secrets(&config->kafka.properties) && !has_secrets(&config->kafka.consumer) && !has_secrets(&config->kafka.producer)) {
        struct sq_config *again = read_text(sq_buf_view(&first));
        REQUIRE(again);
        sq_config_show(again, false, &second);
        REQUIRE(sq_str_equal(sq_buf_view(&first), sq_buf_view(&second)));
        sq_config_close(again);
    }
    sq_buf_deinit(&first);
    sq_buf_deinit(&second);
    sq_config_close(config);
    return 0;
}
