#!/bin/bash
# The manual of hearsay-lab keeps its word: every command, setting, action and measure that the
# program names stands in the pages, with its default and its keys, and the pages name no other; a
# run with all measures gives the fields and tables that they tell of; the example runs as printed,
# and so does the scenario in README.md.
. "$(dirname "$0")/page.bash"
lab=${B:-build}/hearsay-lab

# --- what the program says -----------------------------------------------------------------------

"$lab" list >"$work/list" || exit 1
"$lab" --help >"$work/help" || exit 1

part() { # of the list, by its heading
    sed -n "/^$1/,/^\$/p" "$work/list"
}

# "loss 0"; two spaces begin a setting, and a key may leave no room behind it.
said_settings() {
    part Settings | sed -nE 's/^  ([a-z_]+) *([^ ]+).*/setting \1 \2/p'
}

# "tables small": a word that a setting may be.
said_words() {
    part Settings | sed -nE 's/^  ([a-z_]+) .*\(([a-z0-9_]+( [a-z0-9_]+)+)\)$/\1 \2/p' |
        awk '{ for (i = 2; i <= NF; i++) print "word", $1, $i }'
}

# "publish count= type="
said_verbs() { # heading, kind
    part "$1" | grep -E '^  [a-z]' | awk -v kind="$2" '{
        line = kind " " $1
        while (match($0, /\[[a-z_]+=/)) {
            line = line " " substr($0, RSTART + 1, RLENGTH - 1)
            $0 = substr($0, RSTART + RLENGTH)
        }
        print line
    }'
}

said() {
    said_settings
    said_words
    said_verbs Actions action
    said_verbs Measures measure
    sed -nE 's/^  ([a-z]+) .*/command \1/p' "$work/help"
}

# --- what the pages say --------------------------------------------------------------------------

section() { # heading, page
    awk -v name="$1" '/^\.Sh/ { inside = $0 == ".Sh " name } inside' "$2"
}

# A line for each word that is set like a choice, in the entry of a setting that takes words.
told_settings() {
    section SETTINGS "$1" | sed -nE 's/^\.It Cm ([a-z_]+) No = Ar [a-z]+ Pq (.*)/setting \1 \2/p' |
        sed 's/ none$/ -/'
}

# The entry of each setting as words, for said_words to be looked up in.
told_entry() { # setting, page
    section SETTINGS "$2" | awk -v head=".It Cm $1 No" '/^\.(It|El|Ss)/ { inside = index($0, head) }
        inside' | sed -E 's/^\.[A-Z][a-z] //' | tr -s ' ,;:.()' '\n'
}

told_words() {
    said_words | while read -r _ key word; do
        told_entry "$key" "$1" | grep -qx -- "$word" && echo "word $key $word"
    done
}

# Heads of entries, with what follows them up to .Xc on one line, and of them the names and keys.
told_verbs() { # heading, macro, kind, page
    section "$1" "$4" | awk -v macro="$2" -v kind="$3" '
        function show() {
            name = ""
            while (match(head, /Cm [a-z_]+( Ns =)?|^\.Ss [a-z_]+/)) {
                found = substr(head, RSTART, RLENGTH)
                head = substr(head, RSTART + RLENGTH)
                sub(/^(Cm|\.Ss) /, "", found)
                sub(/ Ns =/, "=", found)
                name = name " " found
            }
            print kind name
        }
        $1 == macro && $2 == "Xo" { open = 1; head = ""; next }
        open && $1 == ".Xc" { open = 0; show(); next }
        open { head = head " " $0; next }
        $1 == macro { head = $0; show() }'
}

told_commands() {
    section SYNOPSIS "$1" | sed -nE 's/^\.Cm ([a-z]+).*/command \1/p'
}

told() { # page of the program, page of scenarios
    told_settings "$1"
    told_words "$1"
    told_verbs ACTIONS .It action "$2"
    told_verbs MEASURES .Ss measure "$2"
    told_commands "$1"
}

# < stands in front of what the pages lack, > of what nobody but they knows.
compare() { # page of the program, page of scenarios
    diff <(said | sort) <(told "$1" "$2" | sort) | grep '^[<>]'
}

page=src/lab/hearsay-lab.1 scenarios=src/lab/hearsay-scenario.5
[ "$(said | wc -l)" -gt 50 ] && compare "$page" "$scenarios" >"$work/log"
[ $? = 1 ] # diff found nothing, and there was something to compare
verdict $? 'the pages name what the program has, and nothing else'

# Those of `nat` are its own, which it lists when it is given another.
options() {
    cat "$work/help" <("$lab" nat --another option 2>&1) |
        grep -oE '^  (-o|-j|--[a-z]+)' | sed -E 's/ *-//; /KEY|-set$/d'
}

while read -r option; do
    grep -qE -- "^\.(It )?Fl (. , )?$option\b" "$page" || echo "no $option in $page"
done < <(options) >"$work/log"
[ ! -s "$work/log" ]
verdict $? 'and every option'

# --- the same with damaged pages -----------------------------------------------------------------

damage() { # what must be noticed, name of the page, sed command
    cp "$page" "$work/1" && cp "$scenarios" "$work/5"
    sed -i "$3" "$work/$2"
    compare "$work/1" "$work/5" >"$work/seen"
    grep -qxF "$1" "$work/seen" || { echo "not noticed: $1" && cat "$work/seen"; }
}

{
    damage '< setting loss 0' 1 '/^\.It Cm loss No/d'
    damage '> setting lost 0' 1 's/^\.It Cm loss No/.It Cm lost No/'
    damage '< setting step 5' 1 's/^\(\.It Cm step No .* Pq\) 5$/\1 6/'
    damage '< word policy paper' 1 's/^\.Cm paper ,$/.Cm papers ,/'
    damage '< action stop every=' 5 's/^\.It Cm stop/.It Cm end/'
    damage '< action partition cut=' 5 '/^\.It Cm partition/s/Cm cut Ns =//'
    damage '> measure tides' 5 '/^\.Sh MEASURES/a .Ss tides'
    damage '< command redo' 1 's/^\.Cm redo/.Cm undo/'
} >"$work/log"
[ ! -s "$work/log" ]
verdict $? 'eight planted mistakes are noticed'

# --- fields and tables ---------------------------------------------------------------------------

# Everything is measured at once, while something of everything happens.
{
    echo 'set nodes 30'
    echo 'set attackers 10'
    echo 'set victims 2'
    echo 'set duration 120'
    echo 'set crash 0.0001'
    echo 'set heal 100'
    said_verbs Measures measure | awk '{ print $1, $2 }'
    echo '@60 publish {any}'
} >"$work/all.scenario"
"$lab" run "$work/all.scenario" --quiet -o "$work/all" --events "$work/events" >"$work/log" 2>&1
verdict $? 'a run with all measures'

given_fields() {
    head -n 1 "$work/all/tables/runs.csv" | tr ',' '\n' | grep -vxE 'variant|seed|drop_.*' | sort -u
}

told_fields() {
    {
        section MEASURES "$scenarios"
        sed -n '/^\.Ss Fields of every run/,/^\.Sh /p' "$page"
    } | sed -nE 's/^\.It Cm ([a-z].*)/\1/p' | tr -d ' ' | tr ',' '\n' | grep -v '^drop_' | sort -u
}

diff <(given_fields) <(told_fields) >"$work/log"
verdict $? 'gives the fields that the pages tell of'

# A table may go over several lines; the next one, or a macro, ends it.
told_tables() {
    section MEASURES "$scenarios" | awk '
        /^Table / { if (line != "") print line; line = $0; next }
        /^\./ { if (line != "") print line; line = ""; next }
        line != "" { line = line " " $0 }
        END { if (line != "") print line }'
}

given_tables() {
    local table columns
    for table in "$work"/all/tables/*.csv; do
        columns=$(head -n 1 "$table" | sed 's/^variant,seed,//; s/,/, /g')
        echo "Table $(basename "$table" .csv): $columns"
    done | grep -v '^Table runs:'
}

diff <(given_tables | sort) <(told_tables | sort) >"$work/log"
verdict $? 'and their tables with the same columns'

# The program's own list, by which it looks at figures and results before a run.
listed() { # fields or tables
    awk -v title="      $1:" '/^      [a-z]|^[^ ]|^  [a-z]/ { open = index($0, title) == 1 }
        open { sub(/^ *(fields|tables):/, ""); print }' "$work/list" |
        tr -s ' ' '\n' | grep . | sort -u
}

# Nothing was violated in that run, so it has no first violation.
diff <(given_fields) <(listed fields | grep -vx violation) >"$work/log"
verdict $? 'and those that the program lists'
diff <(given_tables | sed -E 's/^Table //; s/: /:/; s/, /,/g' | sort) <(listed tables) >"$work/log"
verdict $? 'likewise for tables'

# All keys, and what stands behind "event", of each line.
logged() {
    cat "$work"/events/*.jsonl | grep -oE '"[a-z_]+":|"(event|claim|bucket)":"[a-z]+"' |
        sed -E 's/^"(event|claim|bucket)"://' | tr -d '":' | sort -u
}

logged | while read -r word; do
    section EVENTS "$page" | grep -qE "^\.(It )?Cm ([a-z_]+ , )*$word\b" || echo "$word"
done >"$work/log"
[ "$(logged | wc -l)" -gt 20 ] && [ ! -s "$work/log" ]
verdict $? 'every word of a file of events is told'

# --- invariants ----------------------------------------------------------------------------------

had_invariants() {
    sed -nE 's/^    LAB_INVARIANT_([A-Z]+),.*/\1/p' src/lab/sim/invariant.h | grep -vx COUNT |
        tr '[:upper:]' '[:lower:]'
}

diff <(had_invariants) <(section INVARIANTS "$page" | sed -nE 's/^\.It Cm ([a-z]+)$/\1/p') \
    >"$work/log"
verdict $? 'the invariants are those of the manual'

number=$(tr '\n' ' ' <README.md | sed -nE 's/.* ([a-z-]+) invariants at every event .*/\1/p')
words=(eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five)
[ "$number" = "${words[$(had_invariants | wc -l) - 18]}" ] 2>"$work/log"
verdict $? "and README.md counts them: $number"

# --- examples ------------------------------------------------------------------------------------

# Between the marks; the lines that are roff's own go.
sed -n '/^\.\\" example begins/,/^\.\\" example ends/p' "$scenarios" | grep -v '^\.' |
    sed 's/\\e/\\/g' >"$work/cut.scenario"
"$lab" run "$work/cut.scenario" --quiet -o "$work/cut" >"$work/log" 2>&1
verdict $? 'the example of the manual runs as printed'
grep -q '"pull_costs":[0-9]' "$work/log"
verdict $? 'and ends with what it computes'
"$lab" list "$work/cut.scenario" >"$work/log" 2>&1 && grep -q 'Variants: main, pull' "$work/log"
verdict $? 'and can be listed'
if command -v gnuplot >/dev/null; then
    "$lab" report "$work/cut" >"$work/log" 2>&1 && ls "$work"/cut/figures/*-2.svg >/dev/null
    verdict $? 'its figures can be drawn'
fi

# The block of README.md that is a scenario.
sed -n '/^```scenario$/,/^```$/p' README.md | sed '/^```/d' >"$work/own.scenario"
[ -s "$work/own.scenario" ] && "$lab" run "$work/own.scenario" --quiet >"$work/log" 2>&1
verdict $? 'the scenario of README.md runs as printed'

said_experiments() {
    part Experiments | sed -nE 's/^  ([a-z0-9_-]+) .*/\1/p' | sort
}

told_experiments() {
    sed -n '/^### The experiments that are there/,/^### Results/p' README.md |
        sed -nE 's/^\| `([a-z0-9_-]+)` .*/\1/p' | sort
}

diff <(said_experiments) <(told_experiments) >"$work/log"
verdict $? 'README.md names each experiment that is shipped, and no other'

echo "1..$count"
exit "$failed"
