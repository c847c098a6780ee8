#include "src/lab/draws.h"

static void begin(void *of, uint64_t number)
{
    struct lab_draws *draws = of;
    draws->chance = lab_chance_stream(draws->seed, LAB_CHANCE_SCENARIO, number);
}

static uint64_t below(void *of, uint64_t bound)
{
    struct lab_draws *draws = of;
    return lab_chance_below(&draws->chance, bound);
}

struct lab_draw lab_draws_port(struct lab_draws *draws)
{
    return (struct lab_draw){.begin = begin, .below = below, .of = draws};
}
