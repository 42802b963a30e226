# The further real parts that the system tests drive, each from its registry, in the user's cache;
# Prometheus, Alertmanager and their tools from Debian's packages.

parts="$cache/parts"
mkdir -p "$parts"

if [ ! -x "$parts/python/bin/python" ]; then
    python3 -m venv "$parts/python"
fi
"$parts/python/bin/python" -m pip install --quiet --disable-pip-version-check 'openai==3.54.0'
"$parts/python/bin/python" -m pip install --quiet --disable-pip-version-check \
    --requirement grafana/requirements.txt

if [ ! -d "$parts/javascript/node_modules/openai" ]; then
    npm install --silent --no-audit --no-fund --prefix "$parts/javascript" 'openai@7.57.0'
fi

if ! { command -v prometheus && command -v promtool && command -v amtool; } >/dev/null; then
    sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update --quiet=2
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --no-install-recommends \
        prometheus prometheus-alertmanager >/dev/null
fi

export THEMECAST_PYTHON="$parts/python/bin/python"
export THEMECAST_NODE_MODULES="$parts/javascript/node_modules"
