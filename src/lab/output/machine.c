#include "src/lab/output/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "src/lab/output/heap.h"

unsigned lab_machine_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

/* What stands behind the colon of the line "model name : ..."; not every architecture has it. */
static char *cpu_model(void)
{
    char line[512], *model = NULL;
    FILE *in = fopen("/proc/cpuinfo", "re");
    while (in != NULL && model == NULL && fgets(line, sizeof line, in) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL)
            model = lab_heap_copy_part(colon + 1 + strspn(colon + 1, " \t"),
                                       strcspn(colon + 1 + strspn(colon + 1, " \t"), "\n"));
    }
    if (in != NULL)
        fclose(in);
    return model != NULL ? model : lab_heap_copy("unknown");
}

json_t *lab_machine(void)
{
    struct utsname name;
    if (uname(&name) != 0)
        memset(&name, 0, sizeof name);
    char *cpu = cpu_model();
    char *system = lab_heap_format("%s %s", name.sysname, name.release);
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    json_t *machine = json_pack("{s:s, s:s, s:s, s:I, s:f}", "system", system, "arch", name.machine,
                                "cpu", cpu, "cores", (json_int_t)lab_machine_cores(), "memory_gib",
                                (double)(long)(bytes / 0x1p30 * 10 + 0.5) / 10);
    free(cpu);
    free(system);
    return machine;
}
