# Sourced by collect.sh and second.sh; runs nothing itself.

workers="${WORKERS:-$(nproc)}"
themecast="${THEMECAST:-themecast}"
export RAYON_NUM_THREADS=1

# pinned CORE COMMAND…: on that core where that can be. Threads of one worker that wake each other across
# cores cost a quarter of the speed.
pinned() {
    local core="$1"; shift
    if taskset -c "$core" true 2>/dev/null; then taskset -c "$core" "$@"; else "$@"; fi
}

# sharded ARGUMENTS…: one command a worker, each on its own shard; fails if one fails, once all have ended.
sharded() {
    local pids=() i failed=0
    for ((i = 1; i <= workers; i++)); do
        pinned "$(((i - 1) % $(nproc)))" "$themecast" "$@" --shard "$i/$workers" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    return "$failed"
}
