#!/usr/bin/env bash
# Makes one picture per program of the report that the tour writes. From the root of the repository: bash docs/pictures/make.sh
set -euo pipefail
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
tour=$(mktemp -d)
trap 'rm -rf "$tour"' EXIT
target/debug/portal-sim demo --dir "$tour/demo" >/dev/null
for program in vdr-watch bulk-guard ip-fence compliance-monthly nudge-inactive; do
    picture="docs/pictures/$program.png"
    "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$tour/profile" --window-size="${WINDOW:-1100,820}" \
        --screenshot="$PWD/$picture" "file://$tour/demo/$program/report.html" 2>/dev/null
    if [ "$(stat -c %s "$picture")" -gt 150000 ]; then
        echo "$picture is larger than 150 kB" >&2
        exit 1
    fi
done
