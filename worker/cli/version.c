/* SPDX-License-Identifier: Apache-2.0 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "worker/cli/cli.h"

static int run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("squall %s librdkafka %s\n", SQUALL_VERSION, rd_kafka_version_str());
    return 0;
}

const struct sq_command sq_command_version = {"version", "what this binary is made of", "usage: squall version\n", run};
