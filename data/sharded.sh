# Sourced by collect.sh and second.sh; runs nothing itself.

workers="${WORKERS:-$(nproc)}"
themecast="${THEMECAST:-themecast}"
export RAYON_NUM_THREADS=1

# sharded ARGUMENTS…: one command a worker, each on its own shard; fails if one fails.
sharded() {
    local pids=() i
    for ((i = 1; i <= workers; i++)); do
        "$themecast" "$@" --shard "$i/$workers" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}
