/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "worker/cli/cli.h"
#include "worker/io/kafka_version.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("squall %s librdkafka %s\n", SQUALL_VERSION, sq_kafka_version());
    return 0;
}

const struct sq_command sq_command_version = {"version", "what this binary is made of", "usage: squall version\n", run};
