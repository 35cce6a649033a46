/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker shows over HTTP: the page, probes, metrics and /api/v1, all rendered from the snapshots of pipeline/status.h.
 *
 *     sq_pipeline_open(&pipeline, ...);
 *     sq_api_open(&api, loop, pipeline, config->http.listen, ..., &err);      http.listen "" gives an api without a socket
 *     sq_loop_run(loop);
 *     sq_api_close(api);                                                      before the pipeline
 *
 * Thread: the loop's. Nothing blocks. ops/docs/HTTP.md lists the endpoints. */
#ifndef SQ_PIPELINE_API_H
#define SQ_PIPELINE_API_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "worker/io/loop.h"
#include "worker/pipeline/status.h"

struct sq_api_options {
    const char *listen;     /* "127.0.0.1:8088", "[::1]:0", ...; "": no socket */
    const char *token_file; /* "": no token asked for */
    /* POST /-/reload; NULL: there is none. Appends the keys that changed and need a restart, "model.threads, notify[].url" */
    int (*reload)(void *ctx, struct sq_buf *needs_a_restart, struct sq_err *err);
    void *reload_ctx;
};

struct sq_api;

/* The address in use, an unreadable token file: SQ_E_IO or SQ_E_CONFIG with a sentence that names the key. */
int sq_api_open(struct sq_api **api, struct sq_loop *loop, struct sq_pipeline *pipeline, const struct sq_api_options *options,
                struct sq_err *err);
void sq_api_close(struct sq_api *api); /* NULL is fine */

/* "http://127.0.0.1:8088/", with the port in fact taken; "" without a socket. */
const char *sq_api_url(const struct sq_api *api);

#endif
