/*
 * The rate limit of the vendor-hosted server: per client address and class, off unless the settings
 * name a number.
 */
#pragma once

#include "request.h"

/** limiter_pass() - counts the request; false: over the limit and the answer is made */
bool limiter_pass(struct request *r);
