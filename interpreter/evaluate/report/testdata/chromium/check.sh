#!/bin/sh
# Measures mood.dsp, once with a history and once without, and opens the page in
# Chromium, which has no network: check.mjs says what must be on it. Installs
# Debian's packages as root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
if [ -n "$missing" ]; then
	install="apt-get install -y --no-install-recommends$missing"
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "missing:$missing; on Debian: $install" >&2
		exit 1
	fi
	apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
fi

pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
(cd "$here" && "${GO:-go}" build -o "$pages/dspi" github.com/dspi-lang/dspi/cmd/dspi)
cp "$here/mood.dsp" "$here/mood.csv" "$pages"
for name in with without; do
	keep=--no-history
	[ $name = without ] || keep=
	(cd "$pages" && ./dspi eval mood.dsp --no-cache $keep --save "$name.html" --save "$name.json" >"$name.log" 2>&1) || {
		cat "$pages/$name.log"
		exit 1
	}
done
node "$here/check.mjs" "$pages/with" "$pages/without"
