#include "src/cli/mapping.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/cli/out.h"

/* Nothing where there is nothing to map, or nothing was to be. */
void mapping_print(const json_t *answer)
{
    const json_t *ports = json_object_get(json_object_get(answer, "port_mapping"), "ports");
    bool off = strcmp(field_text(answer, "port_mapping.mode"), "no") == 0;
    size_t i;
    json_t *one;
    json_array_foreach(ports, i, one)
    {
        const char *error = field_text(one, "error");
        if (*field_text(one, "external")) {
            printf("mapping     %s to port %" PRIu64 " by %s", field_text(one, "external"),
                   field_number(one, "port"), field_text(one, "protocol"));
            if (json_is_number(json_object_get(one, "left_seconds")))
                printf(", %s left", out_seconds(field_real(one, "left_seconds")));
            printf("%s%s\n", *error ? "; not renewed: " : "", error);
        } else if (!off) {
            printf("mapping     none of port %" PRIu64 "; %s\n", field_number(one, "port"),
                   *error ? error : "asking the gateway");
        }
    }
}
