# How checks and suites of tests are run, counted and named; sourced by test.sh. Wants $python; keeps files in $results.
# shellcheck shell=bash
results=$(mktemp -d)
: > "$results/counts" # a line "PASSED FAILED" for each check and each suite
: > "$results/failed" # a line for each check and each test that failed
lanes=() # process groups that run beside this one; the output of each is in $results/NUMBER.log
lane_names=()
TIMEFORMAT='   %0lR, %0U s of CPU and %0S s of the system'

check() { # name, command...
    local name=$1; shift
    if "$@"; then echo "1 0" >> "$results/counts"; else missed "$name"; fi
}

missed() { # name: a check that failed
    echo "0 1" >> "$results/counts"
    echo "FAILED the check: $1" | tee -a "$results/failed" >&2
}

tests() { # folder, pytest options...
    local report status counts
    report=$(mktemp "$results/report.XXXXXX")
    echo "== $1"
    # In a shell of its own: the time of a lane that ends meanwhile is not counted with this suite's.
    (time "${python:?}" -m pytest "$@" --quiet --color=yes --durations=3 --junitxml="$report")
    status=$?
    # A crash, an error at collection or a skipped test is a failure: nothing here may be left out.
    {
        read -r counts || { counts="0 1" && echo "FAILED $1 - nobody could count its tests" >> "$results/failed"; }
        echo "$counts" >> "$results/counts"
        cat >> "$results/failed"
    } < <("$python" scripts/count_tests.py "$report" "$status" "$1")
}

lane() { # name, command...: runs beside what follows
    local number=${#lane_names[@]} name=$1; shift
    set -m # a process group of its own, which can be stopped
    { "$@"; : > "$results/$number.ended"; } > "$results/$number.log" 2>&1 < /dev/null &
    set +m
    lanes[number]=$! lane_names[number]=$name
}

end_lanes() { # waits for every lane and shows what it wrote
    local number
    for number in "${!lanes[@]}"; do
        wait "${lanes[$number]}"
        echo "== ran at the same time: ${lane_names[$number]}"
        cat "$results/$number.log"
        [ -e "$results/$number.ended" ] || missed "${lane_names[$number]} ran to the end"
    done
    lanes=()
}

stop_lanes() { # those that still run, with all their processes
    local group
    for group in "${lanes[@]}"; do kill -- "-$group" 2> /dev/null; done
}

total() { # the last lines name what failed: whoever sees only the end of a long log sees that
    if [ -s "$results/failed" ]; then
        echo "== what failed"
        cat "$results/failed"
    fi
    awk '{ passed += $1; failed += $2 } END { print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 || !passed }' \
        "$results/counts"
}
