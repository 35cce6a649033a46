/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/secret.h"

#include "engine/base/json.h"

enum { SECRET_BYTES_MAX = 4096 };

int sq_secret_read(struct sq_buf *secret, const char *key, const char *path, struct sq_err *err)
{
    int status = sq_json_read_file(secret, path, SECRET_BYTES_MAX, SQ_E_CONFIG, err);
    if (status != 0) return sq_err_prefix(err, "%s: ", key);
    while (secret->bytes && strchr(" \t\r\n", secret->data[secret->bytes - 1])) secret->data[--secret->bytes] = '\0';
    if (secret->bytes == 0 || strlen(secret->data) != secret->bytes) return sq_err_set(err, SQ_E_CONFIG, "%s: %s holds no secret", key, path);
    return 0;
}
