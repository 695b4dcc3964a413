# shellcheck shell=bash
# Sourced by every script here: where the repository is, --help, how tests run, and running as root.

# The repository's root; the scripts run from any directory.
# shellcheck disable=SC2034 # used by those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Swift Testing begins all tests at once, so that each waits for all others; with so many each is soon done.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8

# --help prints the comment that a script begins with.
case ${1:-} in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

# fail WORDS... says why the script stops, and stops it.
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# as_root COMMAND... runs it as root, through sudo where we are not.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    fail "this needs root, and there is no sudo: $*"
  fi
}
