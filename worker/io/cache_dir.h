/* SPDX-License-Identifier: Apache-2.0 */
/* Where what takes long to make at start is kept for the next one (engine/cache.h). */
#ifndef SQ_IO_CACHE_DIR_H
#define SQ_IO_CACHE_DIR_H

enum { SQ_CACHE_DIR_BYTES = 4096 };

/* configured: model.cache_dir or --cache-dir, that folder; "": none; NULL or "auto": $XDG_CACHE_HOME/squall, else $HOME/.cache/squall (XDG Base
 * Directory Specification), else none. Makes the folder, for its owner alone, if it can; whether it could is the engine's to
 * tell. Leaves "" in path for none. */
void sq_cache_dir_find(const char *configured, char path[SQ_CACHE_DIR_BYTES]);

#endif
