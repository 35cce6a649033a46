/* SPDX-License-Identifier: Apache-2.0 */
/* How the score stage keeps up (worker/core/load.h), told to the log, and with overload: sample what share it scores. Thread: the loop's. */
#ifndef SQ_PIPELINE_OVERLOAD_H
#define SQ_PIPELINE_OVERLOAD_H

struct sq_pipeline;

void sq_overload_init(struct sq_pipeline *pipeline);
void sq_overload_second(struct sq_pipeline *pipeline); /* with a score stage only */

#endif
