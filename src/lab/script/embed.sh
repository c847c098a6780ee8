#!/bin/sh
# Prints the scenarios given as a C file: a table of names and texts, in the order of the arguments.
# See embedded.h.
set -eu
export LC_ALL=C

echo '/* Made by embed.sh from the experiments. */'
echo '#include "src/lab/script/embedded.h"'
number=0
for file in "$@"; do
    # A question mark could begin a trigraph.
    printf '\nstatic const char text_%d[] =\n    ""\n' "$number"
    sed 's/[\\"?]/\\&/g; s/.*/    "&\\n"/' "$file"
    printf ';\n'
    number=$((number + 1))
done
printf '\nconst size_t lab_embedded_count = %d;\n' "$number"
printf 'const struct lab_embedded lab_embedded_table[] = {\n'
number=0
for file in "$@"; do
    name=${file##*/}
    printf '    {"%s", text_%d, sizeof text_%d - 1},\n' "${name%.scenario}" "$number" "$number"
    number=$((number + 1))
done
printf '    {0},\n};\n'
