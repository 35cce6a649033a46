/* SPDX-License-Identifier: Apache-2.0 */
/* The short way through a line of `--scores-out`: just the members that are written, in the order in which they are written, without white
 * space. Several times faster than a parser of any JSON. */
#ifndef SQ_CLI_REPLAY_SCAN_H
#define SQ_CLI_REPLAY_SCAN_H

#include "worker/cli/replay_line.h"

/* False for any line that is the least bit different (an escape, an exponent, a duplicate, a value out of its range): it is then for the
 * parser to read or to refuse, and what was filled in so far means nothing. The strings point into the line. */
bool sq_replay_scan(struct sq_replay_line *into, struct sq_str line);

#endif
