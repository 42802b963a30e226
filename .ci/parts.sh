# The further real parts that the system tests drive, each from its registry, in the user's cache.

parts="$cache/parts"
mkdir -p "$parts"

if [ ! -x "$parts/python/bin/python" ]; then
    python3 -m venv "$parts/python"
fi
"$parts/python/bin/python" -m pip install --quiet --disable-pip-version-check 'openai==3.54.0'

if [ ! -d "$parts/javascript/node_modules/openai" ]; then
    npm install --silent --no-audit --no-fund --prefix "$parts/javascript" 'openai@7.57.0'
fi

export THEMECAST_PYTHON="$parts/python/bin/python"
export THEMECAST_NODE_MODULES="$parts/javascript/node_modules"
