/*
 * What a WWW-Authenticate header asks for (RFC 9110, 11.2): outside text, read strictly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/**
 * challenge_parameter() - one parameter of a challenge for a bearer: Bearer realm="https://...",
 * service="..."
 * @size: of @buffer
 *
 * Return: true; false if the header asks for something else, is not well formed up to that
 * parameter, does not have it, or its value is empty or does not fit.
 */
bool challenge_parameter(const char *header, const char *name, char *buffer, size_t size);
