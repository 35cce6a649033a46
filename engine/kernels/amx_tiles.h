/* SPDX-License-Identifier: Apache-2.0 */
/* The AMX tile instructions that int8_amx.inc is written over, named by what they do. Tile numbers are literals. tests/lib/amx_model.h has the
 * same names in plain C. */
#ifndef SQ_KERNELS_AMX_TILES_H
#define SQ_KERNELS_AMX_TILES_H

#include <immintrin.h>

#define TILE_CONFIGURE(config) _tile_loadconfig(config)
#define TILE_RELEASE() _tile_release()
#define TILE_ZERO(tile) _tile_zero(tile)
#define TILE_LOAD(tile, from, stride_bytes) _tile_loadd(tile, from, (int)(stride_bytes))
#define TILE_STORE(tile, to, stride_bytes) _tile_stored(tile, to, (int)(stride_bytes))
#define TILE_DOT(sums, inputs, weights) _tile_dpbusd(sums, inputs, weights) /* unsigned bytes by signed ones */

#endif
