# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the scripts share. A script sources it first:
#   source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# It turns on strict mode and goes to the root of the tree. Messages go to stderr, data to stdout.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT
cd -- "$ROOT"

# Colours only for a person at a terminal, and never with NO_COLOR (no-color.org).
if [[ -t 2 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' PLAIN=$'\e[0m'
else
  BOLD='' GREEN='' RED='' PLAIN=''
fi

die() {
  printf '%s%s: %s%s\n' "$RED" "${0##*/}" "$*" "$PLAIN" >&2
  exit 2
}

# The comment block under the "#!" and SPDX lines of the calling script is its help text.
usage() {
  awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0"
}

# elapsed SECONDS: "7s" or "3m 05s".
elapsed() {
  if (($1 < 60)); then printf '%ds' "$1"; else printf '%dm %02ds' $(($1 / 60)) $(($1 % 60)); fi
}

# step LABEL COMMAND…: one progress line and the time it took. Its output goes to a log, which is
# shown only on failure. Returns the command's exit code. COMMAND may be a function, but "set -e" is
# off inside it: it must chain what may fail with &&.
step() {
  local label=$1 started=$SECONDS status=0 log
  shift
  log=$(log_file "$label")
  printf '%s==>%s %s ' "$BOLD" "$PLAIN" "$label" >&2
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status == 0)); then
    printf '%s%s%s\n' "$GREEN" "$(elapsed $((SECONDS - started)))" "$PLAIN" >&2
  else
    printf '%sfailed%s after %s; the end of %s:\n' "$RED" "$PLAIN" \
      "$(elapsed $((SECONDS - started)))" "${log#"$ROOT"/}" >&2
    tail -n 60 "$log" >&2
  fi
  return "$status"
}

# log_file LABEL: where its full output is kept, build/logs/label-in-lower-case.log.
log_file() {
  mkdir -p build/logs
  local name=${1,,}
  printf '%s/build/logs/%s.log' "$ROOT" "${name//[^a-z0-9]/-}"
}

# build_preset PRESET [TARGET…]: configures and builds build/PRESET on all cores.
build_preset() {
  local preset=$1
  shift
  local targets=()
  if (($# > 0)); then targets=(--target "$@"); fi
  step "configure $preset" cmake --preset "$preset" &&
    step "build $preset" cmake --build "build/$preset" -j"$(nproc)" "${targets[@]}"
}

# The tracked files and the new ones that are not ignored, as git pathspecs select them. Git would
# refuse to list a clone that belongs to another user, as it may where root runs the tests.
source_files() {
  local path
  git -c safe.directory="$ROOT" ls-files --cached --others --exclude-standard -- "$@" |
    sort -u | while IFS= read -r path; do
      if [[ -f "$path" ]]; then printf '%s\n' "$path"; fi
    done
}

# make_venv [FOLDER REQUIREMENTS]: the folder holds exactly the pinned requirements, made anew if
# they change; build/venv and test/requirements.txt by default.
make_venv() {
  local folder=${1:-build/venv} requirements=${2:-test/requirements.txt}
  local stamp=$folder/requirements.installed
  if cmp -s "$requirements" "$stamp"; then return 0; fi
  rm -rf "$folder" &&
    python3 -m venv "$folder" &&
    "$folder/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" &&
    cp "$requirements" "$stamp"
}
