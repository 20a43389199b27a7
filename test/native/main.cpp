// Owns: the native tests' entry point.
// Must not know: the tests.

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
