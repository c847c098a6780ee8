#include "src/lab/output/study.h"

#include <stdlib.h>

#include "src/lab/output/heap.h"

static size_t points_of(const struct lab_study *study)
{
    return study->points > 0 ? study->points : 1;
}

size_t lab_study_runs(const struct lab_study *study)
{
    return points_of(study) * study->variants * study->seeds;
}

struct lab_place lab_study_place(const struct lab_study *study, size_t run)
{
    size_t group = run / study->seeds;
    return (struct lab_place){.point = group / study->variants,
                              .variant = group % study->variants,
                              .seed = run % study->seeds};
}

size_t lab_study_run(const struct lab_study *study, struct lab_place place)
{
    return (place.point * study->variants + place.variant) * study->seeds + place.seed;
}

char *lab_study_name(const struct lab_study *study, struct lab_place place)
{
    struct lab_text text;
    lab_text_open(&text);
    fputs(study->variant[place.variant].name, text.out);
    for (size_t i = 0; study->points > 0 && i < study->point[place.point].count; i++) {
        const struct lab_pair *pair = &study->point[place.point].pair[i];
        fprintf(text.out, ", %s=%s", pair->key, pair->value);
    }
    return lab_text_take(&text, NULL);
}
