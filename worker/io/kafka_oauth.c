/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/kafka_oauth.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/json.h"
#include "worker/io/log.h"

enum { TOKEN_BYTES_MAX = 16 * 1024 };

/* The six bits of a character of base64url (RFC 4648, section 5), or -1. */
static int sextet(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

static bool decode_base64url(struct sq_buf *out, struct sq_str text)
{
    unsigned bits = 0, held = 0;
    while (text.bytes > 0 && text.data[text.bytes - 1] == '=') text.bytes--;
    for (size_t i = 0; i < text.bytes; i++) {
        int six = sextet(text.data[i]);
        if (six < 0) return false;
        bits = bits << 6 | (unsigned)six;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        sq_buf_append_char(out, (char)(unsigned char)(bits >> held));
    }
    return true;
}

/* The part between the first and the second dot; empty when there aren't two. */
static struct sq_str payload_of(struct sq_str token)
{
    const char *first = memchr(token.data, '.', token.bytes);
    if (!first) return (struct sq_str){0};
    size_t rest = token.bytes - (size_t)(first + 1 - token.data);
    const char *second = memchr(first + 1, '.', rest);
    return second ? (struct sq_str){first + 1, (size_t)(second - first - 1)} : (struct sq_str){0};
}

static int read_payload(struct sq_token_claims *claims, struct sq_str payload, struct sq_err *err)
{
    json_t *object = NULL;
    const char *subject = NULL;
    double expires_s = 0;
    if (sq_json_parse(&object, "", payload, SQ_E_CONFIG, err) != 0) /* whose message quotes what it read */
        return sq_err_set(err, SQ_E_CONFIG, "the token's payload is not JSON");
    int status = sq_json_get_real(object, "exp", 1, 1e12, 0, &expires_s, SQ_E_CONFIG, err);
    if (status == 0) status = sq_json_get_text(object, "sub", "", &subject, SQ_E_CONFIG, err);
    if (status == 0 && expires_s < 1) status = sq_err_set(err, SQ_E_CONFIG, "the token has no \"exp\": when it expires is not known");
    if (status == 0) {
        claims->expires_ms = (int64_t)(expires_s * 1000);
        snprintf(claims->principal, sizeof claims->principal, "%s", subject);
    }
    json_decref(object);
    return status;
}

int sq_token_read_claims(struct sq_token_claims *claims, struct sq_str token, struct sq_err *err)
{
    struct sq_buf payload;
    int status;
    sq_buf_init(&payload);
    if (!decode_base64url(&payload, payload_of(token)) || sq_buf_view(&payload).bytes == 0)
        status = sq_err_set(err, SQ_E_CONFIG, "it is not a token of three base64url parts with dots between them (RFC 7519)");
    else status = read_payload(claims, sq_buf_view(&payload), err);
    sq_buf_deinit(&payload);
    return status;
}

static int set_token(rd_kafka_t *rk, struct sq_buf *file, struct sq_err *err)
{
    struct sq_token_claims claims;
    struct sq_str token = sq_buf_view(file);
    char why[256];
    while (token.bytes > 0 && strchr(" \t\r\n", token.data[token.bytes - 1])) token.bytes--;
    int status = sq_token_read_claims(&claims, token, err);
    if (status) return status;
    sq_buf_append_char(file, '\0');
    file->data[token.bytes] = '\0';
    if (rd_kafka_oauthbearer_set_token(rk, file->data, claims.expires_ms, claims.principal, NULL, 0, why, sizeof why) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    return sq_err_set(err, SQ_E_CONFIG, "%s", why);
}

/* On librdkafka's background thread. `path` is sasl.oauthbearer.config, where sq_kafka_oauth_use_file put it. */
static void refresh(rd_kafka_t *rk, const char *path, void *opaque)
{
    struct sq_err err;
    struct sq_buf file;
    (void)opaque;
    sq_buf_init(&file);
    int status = sq_json_read_file(&file, path, TOKEN_BYTES_MAX, SQ_E_CONFIG, &err);
    if (status == 0) status = set_token(rk, &file, &err);
    if (status) {
        sq_log(SQ_LOG_ERROR, SQ_L("no OAUTHBEARER token"), SQ_LS("file", path), SQ_LS("reason", err.message));
        rd_kafka_oauthbearer_set_token_failure(rk, err.message);
    }
    sq_buf_deinit(&file);
}

int sq_kafka_oauth_use_file(rd_kafka_conf_t *conf, const char *path, struct sq_err *err)
{
    char why[256];
    if (rd_kafka_conf_set(conf, "sasl.oauthbearer.config", path, why, sizeof why) != RD_KAFKA_CONF_OK)
        return sq_err_set(err, SQ_E_CONFIG, "kafka.sasl_token_file: %s", why);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, refresh);
    return 0;
}

void sq_kafka_oauth_start(rd_kafka_t *rk)
{
    rd_kafka_error_t *none = rd_kafka_sasl_background_callbacks_enable(rk);
    if (none) rd_kafka_error_destroy(none);
}
