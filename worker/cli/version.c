/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "engine/kernels/kernels.h"
#include "worker/cli/cli.h"
#include "worker/io/kafka_version.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    const struct sq_kernels *kernels = sq_kernels_choose(NULL);
    printf("squall %s librdkafka %s kernels %s\n", SQUALL_VERSION, sq_kafka_version(), kernels->isa);
    if (kernels->caveat) printf("%s: %s\n", kernels->isa, kernels->caveat);
    return 0;
}

const struct sq_command sq_command_version = {"version", "what this binary is made of, and this CPU's kernels", "usage: squall version\n", run};
