// Arithmetic that knows nothing of components, so that it can be tested by itself.

#pragma once

#include <stddef.h>

// The arithmetic mean of one number or more.
double mean(const double *values, size_t count);
