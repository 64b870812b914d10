/*
 * `forge-brokerctl doctor` for people: the tree of findings, a mark and a line for each, remedies
 * below what is broken.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

/** doctor_tree_print() - ticks and crosses in a UTF-8 locale, colours only on a terminal and
 * without NO_COLOR */
void doctor_tree_print(const json_t *steps, FILE *out);
