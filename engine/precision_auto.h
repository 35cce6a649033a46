/* SPDX-License-Identifier: Apache-2.0 */
/* `precision: auto`: the fastest rungs whose answers are fp32's.
 *
 * The built-in texts go through the model in fp32 and on the ladder's first rung. Where the answers differ too much, products climb, those
 * first that do most harm for what it costs to stop it, until they agree or all are in fp32. */
#ifndef SQ_PRECISION_AUTO_H
#define SQ_PRECISION_AUTO_H

#include "engine/session.h"

/* Chooses engine->plan, in the same way on every run, and opens engine->weights for it; fills info's agreement and difference.
 * Everything else of the engine is open. fp32, untried, for what gives no probabilities (vectors, regression) and with OpenBLAS, which
 * multiplies floats faster than plain C does bytes. Blocks for passes over a few thousand tokens. Errors of sq_weights_open; the
 * weights are then closed. */
int sq_precision_auto(struct sq_engine *engine, const char *model_path, struct sq_err *err);

#endif
