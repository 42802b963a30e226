# Sourced by collect.sh and second.sh; runs nothing itself.

workers="${WORKERS:-$(nproc)}"
themecast="${THEMECAST:-themecast}"
export RAYON_NUM_THREADS=1

# sharded ARGUMENTS…: one command a worker, each on its own shard; fails if one fails, once all have ended.
sharded() {
    local pids=() i failed=0
    for ((i = 1; i <= workers; i++)); do
        "$themecast" "$@" --shard "$i/$workers" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return "$failed"
}
