/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/cli.h"

int main(int argc, char **argv) { return sq_cli_main(argc, argv); }
