#!/bin/bash
# down.sh [N|all|shared] [--wipe]   stops what up.sh started for cluster N (1 by default); "shared" is the CSI driver, which serves
# every cluster of the checkout. --wipe also removes the state: of a cluster its objects and keys, of "shared" every volume and snapshot.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/parts/paths.sh"
. "$HERE/parts/processes.sh"
. "$HERE/parts/slots.sh"
target=${1:-1} wipe=${2:-}
[ -z "$wipe" ] || [ "$wipe" = --wipe ] || { echo "usage: down.sh [N|all|shared] [--wipe]" >&2; exit 2; }

cluster_down() { # cluster_down N
  CLUSTER=$RUN/c$1
  [ -d "$CLUSTER" ] || return 0
  (
    flock 9
    . "$HERE/parts/node-down.sh"
    stop_all "$CLUSTER"
    [ -z "$wipe" ] || { release_slot "$CLUSTER"; rm -rf "$CLUSTER"; }
  ) 9>"$RUN/c$1.lock"
  say "cluster $1 is down"
}

shared_down() {
  [ -d "$SHARED" ] || return 0
  (
    flock 9
    stop_all "$SHARED"
    unmount_below "$SHARED"
    [ -z "$wipe" ] || rm -rf "$SHARED"
  ) 9>"$RUN/shared.lock"
  say "the CSI driver is down"
}

case $target in
  all)
    for folder in "$RUN"/c[1-9]; do cluster_down "${folder##*/c}"; done
    shared_down
    ;;
  shared) shared_down ;;
  [1-9]) cluster_down "$target" ;;
  *) echo "usage: down.sh [N|all|shared] [--wipe]" >&2; exit 2 ;;
esac
