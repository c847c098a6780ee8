/* The world in virtual time of the tests, for programs of this folder as well. */
#include "tests/world/world.c"
