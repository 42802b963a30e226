# Sourced by collect.sh and second.sh; runs nothing itself.

workers="${WORKERS:-$(nproc)}"
themecast="${THEMECAST:-themecast}"
export RAYON_NUM_THREADS=1

# pinned NUMBER COMMAND…: on one of this script's cores, where that can be. Threads of one worker that wake
# each other across cores cost a quarter of the speed.
cores=($(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0)))' 2>/dev/null || true))
pinned() {
    local number="$1"; shift
    if [ "${#cores[@]}" -gt 0 ] && taskset -c "${cores[0]}" true 2>/dev/null; then
        taskset -c "${cores[$((number % ${#cores[@]}))]}" "$@"
    else
        "$@"
    fi
}

# sharded ARGUMENTS…: one command a worker, each on its own shard; fails if one fails, once all have ended.
sharded() {
    local pids=() i failed=0
    for ((i = 1; i <= workers; i++)); do
        pinned "$((i - 1))" "$themecast" "$@" --shard "$i/$workers" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return "$failed"
}
