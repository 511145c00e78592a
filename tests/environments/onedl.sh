#!/usr/bin/env bash
# Builds a second environment on the maintained onedl-* forks of MMEngine, MMCV and MMSegmentation
# and runs the extension's tests and a short demo there.
#
# usage: tests/environments/onedl.sh [FOLDER]     (default: a temporary folder, removed at the end)
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ $# -gt 0 ]; then
  work="$1"
  mkdir -p "$work"
else
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
fi

# Everything the project pins, but for the three packages that the forks replace.
uv export --quiet --no-hashes --no-emit-project --all-extras --all-groups \
  | grep -vE '^(mmengine|mmcv-lite|mmsegmentation)==' > "$work/requirements.txt"
uv venv --quiet --clear "$work/venv"
export VIRTUAL_ENV="$work/venv" UDABENCH_CACHE="$work/cache"
uv pip install --quiet --requirement "$work/requirements.txt"
uv pip install --quiet --no-deps \
  onedl-mmengine==0.10.12 onedl-mmcv==2.3.6 onedl-mmsegmentation==1.4.2 --editable .

"$work/venv/bin/udabench" doctor
"$work/venv/bin/python" -m pytest tests/mmseg_ext --ignore tests/mmseg_ext/datasets/minidrive
"$work/venv/bin/udabench" run demo --iterations 5 --out "$work/results" \
  --only method=dacs,encoder=resnet-mini
