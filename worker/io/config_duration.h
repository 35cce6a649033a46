/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as the configuration and the command line write them: 500ms 30s 15m 2h 7d, or several together as 1h30m. */
#ifndef SQ_IO_CONFIG_DURATION_H
#define SQ_IO_CONFIG_DURATION_H

#include <stdint.h>

#include "engine/base/str.h"

/* False: not such a text. */
bool sq_config_duration_parse(struct sq_str text, int64_t *ms);
void sq_config_duration_format(int64_t ms, char out[32]);

#endif
