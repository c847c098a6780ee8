/*
 * The swarm: small runs in two phases, every knob of which follows from a seed.
 *
 * A run is written as a scenario, so that what was drawn can be read, and a failing run can be
 * taken apart by hand.  Each knob draws from a stream that its name gives: a knob that is added
 * leaves all others of a seed as they were.  Most features are off in most runs, so that what two
 * of them do together is not hidden by a third (Groce and others, "Swarm Testing", 2012).
 */
#ifndef HEARSAY_LAB_SWARM_H
#define HEARSAY_LAB_SWARM_H

#include <stdint.h>

/* The scenario of this seed; free() it. */
char *lab_swarm_scenario(uint64_t seed);

#endif
