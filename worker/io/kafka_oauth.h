/* SPDX-License-Identifier: Apache-2.0 */
/* OAUTHBEARER with a token from a file, such as the one that Kubernetes projects for a service account: read when a client first needs it and
 * again before it expires. (Where librdkafka is built with it, sasl.oauthbearer.method=oidc fetches tokens by itself instead.) */
#ifndef SQ_IO_KAFKA_OAUTH_H
#define SQ_IO_KAFKA_OAUTH_H

#include <librdkafka/rdkafka.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

/* What Kafka's handshake needs of a token (RFC 7519), which is not verified here: that is the broker's part. */
struct sq_token_claims {
    int64_t expires_ms; /* since the epoch, from "exp" */
    char principal[128]; /* "sub" */
};

/* `token` is header.payload.signature, each base64url. SQ_E_CONFIG says what is missing, never what is in it. */
int sq_token_read_claims(struct sq_token_claims *claims, struct sq_str token, struct sq_err *err);

/* Before rd_kafka_new: tokens come from the file at `path`. */
int sq_kafka_oauth_use_file(rd_kafka_conf_t *conf, const char *path, struct sq_err *err);

/* After rd_kafka_new: has librdkafka's own thread do the refreshing. Harmless for clients without OAUTHBEARER. */
void sq_kafka_oauth_start(rd_kafka_t *rk);

#endif
