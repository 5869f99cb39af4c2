# shellcheck shell=bash
# Sourced by up.sh: sees that the binaries and images are in the cache and sets KUBERNETES, CSI and IMAGES to their folders.
# A folder's name is a hash of what it is built from, and it appears by a rename: it is whole or absent.

command -v go >/dev/null || missing "go 1.26 or newer (https://go.dev/dl), which builds the cluster's binaries"

fingerprint() { # fingerprint PATH...: of files below go/, the Go version and the machine
  (cd "$HERE/go" && { go version; uname -m; find "$@" -type f ! -name '*_test.go' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; }) |
    sha256sum | cut -c1-16
}

cached() { # cached FOLDER COMMAND...: runs COMMAND PARTIAL-FOLDER, one process at a time, unless FOLDER is there
  local folder=$1
  shift
  [ -d "$folder" ] && return
  mkdir -p "$CACHE"
  (
    flock -n 8 || { say "waiting for another build of $folder"; flock 8; }
    [ -d "$folder" ] && exit
    rm -rf "$folder.partial"
    mkdir "$folder.partial"
    "$@" "$folder.partial"
    mv "$folder.partial" "$folder"
  ) 8>"$folder.lock"
}

build() { # build PART FOLDER: build.sh with a line of progress every 20 s
  local log=$CACHE/build-$1.log
  say "building the $1 binaries (log: $log)"
  [ "$1" != kubernetes ] || say "  the very first time this takes 6 to 7 minutes on 2 cores, 3 GiB of memory and 4 GiB of Go's caches"
  "$HERE/go/build.sh" "$1" "$2" >"$log" 2>&1 8>&- 9>&- &
  local builder=$! seconds=0
  # A background job of a script ignores Ctrl-C: without this it would go on alone.
  # shellcheck disable=SC2064  # the pid of now is meant
  trap "kill $builder 2>/dev/null" EXIT
  while kill -0 "$builder" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 20)) != 0 ] || say "$(progress "$log")"
  done
  trap - EXIT
  wait "$builder" || { tail -n 20 "$log" >&2; fail "the $1 binaries could not be built"; }
  say "built the $1 binaries"
}

progress() { # progress LOG: how far build.sh is
  local total
  total=$(sed -n 's/^packages //p' "$1")
  if [ -z "$total" ]; then
    echo "  $(grep -c '^go: downloading' "$1") modules downloaded"
  else
    echo "  $(sed '1,/^packages /d' "$1" | grep -vc '^go: ') of at most $total packages compiled"
  fi
}

KUBERNETES=$CACHE/kubernetes-$(fingerprint build.sh go.mod go.sum tools.go)
CSI=$CACHE/csi-$(fingerprint build.sh go.mod go.sum cmd)
cached "$KUBERNETES" build kubernetes
cached "$CSI" build csi
