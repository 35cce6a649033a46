/* SPDX-License-Identifier: Apache-2.0 */
/* The AMX tile instructions that engine/kernels/int8_amx.inc uses, in plain C, by Intel's Software Developer's Manual, volume 2 (LDTILECFG,
 * TILEZERO, TILELOADD, TILESTORED, TDPBUSD). What the CPU answers with a fault ends the program here. One set of tiles a thread. */
#ifndef SQ_TEST_AMX_MODEL_H
#define SQ_TEST_AMX_MODEL_H

#include <stddef.h>

void amx_model_configure(const void *config); /* 64 bytes */
void amx_model_release(void);
void amx_model_zero(int tile);
void amx_model_load(int tile, const void *from, size_t stride_bytes);
void amx_model_store(int tile, void *to, size_t stride_bytes);
void amx_model_dot(int sums, int unsigned_bytes, int signed_bytes);

/* Tiles that were multiplied since the program began. */
size_t amx_model_dots(void);

#define TILE_CONFIGURE(config) amx_model_configure(config)
#define TILE_RELEASE() amx_model_release()
#define TILE_ZERO(tile) amx_model_zero(tile)
#define TILE_LOAD(tile, from, stride_bytes) amx_model_load(tile, from, stride_bytes)
#define TILE_STORE(tile, to, stride_bytes) amx_model_store(tile, to, stride_bytes)
#define TILE_DOT(sums, inputs, weights) amx_model_dot(sums, inputs, weights)

#endif
