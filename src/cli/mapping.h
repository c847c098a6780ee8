/*
 * What the gateway has mapped for the node, in words.
 */
#ifndef HEARSAY_CLI_MAPPING_H
#define HEARSAY_CLI_MAPPING_H

#include <jansson.h>

/* A line for each port of `port_mapping` in the answer to status or nat. */
void mapping_print(const json_t *answer);

#endif
