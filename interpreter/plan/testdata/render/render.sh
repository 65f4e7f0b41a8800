#!/bin/sh
# Draws the graph of every example and of every program in testdata/graph with
# the real Mermaid and with Graphviz, and compares the labels in the pictures
# with those of the graphs. Installs what it needs: Debian's packages as root,
# Mermaid from npm at the version in package-lock.json.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=
command -v dot >/dev/null 2>&1 || missing="$missing graphviz"
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
	install="apt-get install -y --no-install-recommends$missing"
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "missing:$missing; on Debian: $install" >&2
		exit 1
	fi
	apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
fi

stamp="$here/node_modules/.dspi-lock"
if ! cmp -s "$here/package-lock.json" "$stamp"; then
	(cd "$here" && npm ci --silent --no-audit --no-fund --ignore-scripts)
	cp "$here/package-lock.json" "$stamp"
fi

graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
(cd "$here/../.." && "${GO:-go}" test -count=1 -run '^TestGraphOfEveryExample$' . -graphs "$graphs" >"$graphs/log") || {
	cat "$graphs/log"
	exit 1
}
node "$here/render.mjs" "$graphs"
