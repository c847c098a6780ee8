/* The settings that every run has, and the simulation that they ask for. */
#ifndef HEARSAY_LAB_CONFIG_H
#define HEARSAY_LAB_CONFIG_H

#include "src/lab/script/settings.h"
#include "src/lab/sim/attack.h"
#include "src/lab/sim/churn.h"
#include "src/lab/sim/fault.h"
#include "src/lab/sim/sim.h"

/* Numbers pass through doubles and JSON, where the next one above would be another. */
#define LAB_SEED_MAX 9007199254740991

extern const struct lab_setting_rule lab_config_rules[];
extern const size_t lab_config_rule_count;

/* HSAY_EINVAL and a sentence in `why`: a value that only makes sense with others. */
int lab_config_read(const struct lab_settings *settings, uint64_t seed, struct lab_sim_config *out,
                    char *why, size_t why_size);

/* Settings that do nothing, or something else than was meant, because of others.  0, or HSAY_EINVAL
 * and faults at the lines that said them. */
int lab_config_check(const struct lab_settings *settings, struct lab_faults *faults);

/* Of these, what may change while a run goes on. */
int lab_config_link(const struct lab_settings *settings, struct lab_link_model *link, char *why,
                    size_t why_size);
void lab_config_churn(const struct lab_settings *settings, struct lab_churn_config *churn);
void lab_config_fault(const struct lab_settings *settings, struct lab_fault_config *fault);
void lab_config_attack(const struct lab_settings *settings, struct lab_attack_config *attack);

/* A setting that is a time. */
uint64_t lab_config_ns(const struct lab_settings *settings, const char *key);

#endif
