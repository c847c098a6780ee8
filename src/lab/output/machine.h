/* What the runs were made on.  Without the name of the machine, which is nobody's business. */
#ifndef HEARSAY_LAB_MACHINE_H
#define HEARSAY_LAB_MACHINE_H

#include <jansson.h>

/* {"system", "arch", "cpu", "cores", "memory_gib"}: a new object. */
json_t *lab_machine(void);

/* Cores that this process may use, at least 1. */
unsigned lab_machine_cores(void);

#endif
