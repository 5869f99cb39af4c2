# shellcheck shell=bash
# Sourced first: where everything lives, and the two ways a script of this directory ends badly.
# Nothing is written below the checkout.
# shellcheck disable=SC2034  # used by the scripts that source this
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
CHECKOUT=$(cd "$HERE/../.." && pwd -P)
# Short, because unix sockets deep below it must fit into 107 bytes; one per checkout.
RUN=${LIFEBOAT_CLUSTER_RUN:-/tmp/lbt-$(printf %s "$CHECKOUT" | sha256sum | cut -c1-8)}
SHARED=$RUN/shared
CACHE=${LIFEBOAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lifeboat}/cluster
DRIVER=dirvol.csi.lifeboat.test

# A prerequisite that the reader can install: callers tell it apart from a failure by the exit code.
missing() { echo "test cluster: missing prerequisite: $*" >&2; exit 3; }
fail() { echo "test cluster: $*" >&2; exit 1; }

say() { # say TEXT: with the seconds since the script began
  local now=${EPOCHREALTIME/[.,]/}
  local elapsed=$((now - BEGAN))
  printf '%4d.%ds %s\n' $((elapsed / 1000000)) $((elapsed / 100000 % 10)) "$*"
}
BEGAN=${EPOCHREALTIME/[.,]/}

[ ${#RUN} -le 41 ] || fail "$RUN is too long: unix socket paths below it would exceed 107 bytes; set LIFEBOAT_CLUSTER_RUN to at most 41 characters"
(umask 077 && mkdir -p "$RUN")
[ -O "$RUN" ] || fail "$RUN belongs to another user"
