/*
 * What a request's head says, read in one pass: claims, the preferred form of the answer, how the
 * body is framed.
 */
#pragma once

#include "api/request.h"

/**
 * head_read() - fills the request's members from its head, and wipes what is secret there
 * @version: as libmicrohttpd gives it: where it is says whether the target was longer than it looks
 *
 * Return: 0, or the negated diagnosis of a head that must not be trusted about where it ends:
 * answer and close.
 */
int head_read(struct request *request, const char *version, struct error *err);
