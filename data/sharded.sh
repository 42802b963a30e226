# Sourced by collect.sh and second.sh; runs nothing itself.

workers="${WORKERS:-$(nproc)}"
themecast="${THEMECAST:-themecast}"
export RAYON_NUM_THREADS=1

# pinned WORKER COMMAND…: on a core of its own where that can be had. Every product of matrices passes
# between two threads; on two cores the waking took a third of the time (measured: 44 s, not 70).
pinned() {
    local core=$((($1 - 1) % $(nproc))); shift
    if command -v taskset >/dev/null; then taskset -c "$core" "$@"; else "$@"; fi
}

# sharded ARGUMENTS…: one command a worker, each on its own shard; fails if one fails, once all have ended.
sharded() {
    local pids=() i failed=0
    for ((i = 1; i <= workers; i++)); do
        pinned "$i" "$themecast" "$@" --shard "$i/$workers" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return "$failed"
}
