/*
 * The trials of trial.h in the simulator: the same roles, boxes, links and times, and the core that
 * hearsayd has, but with the simulator's boxes, hosts and clock around it.
 *
 * What is not the same:
 * - Time is virtual, and computing takes none: what daemons do within a millisecond takes none
 * here.
 * - Nobody starts at the same moment twice in the kernel's world; here each start is put off by up
 *   to START_SPREAD_MS, by chance.  All chance follows from the trial's seed.
 * - One overlay, where hearsayd has room for sixteen; its other tables are as large as hearsayd's.
 *   Keys and seals are counted, not computed.
 * - What is one LAN takes 0.3 ms.
 */
#ifndef HEARSAY_LAB_NAT_SIM_TRIAL_H
#define HEARSAY_LAB_NAT_SIM_TRIAL_H

#include "src/lab/nat/trial.h"

/* As natlab_trial_run and natlab_trial_look, but that the process can be used on. */
int natlab_sim_trial_run(const struct natlab_trial *trial, struct natlab_outcome *outcome,
                         struct lab_why *why);
int natlab_sim_trial_look(const struct natlab_trial *trial, struct natlab_seen *seen,
                          struct lab_why *why);

#endif
