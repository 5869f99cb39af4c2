#!/bin/bash
# supervise.sh COMMAND...   runs COMMAND again whenever it exits; TERM ends both
child=
trap '[ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null; exit 0' TERM INT
while :; do
  "$@" &
  child=$!
  wait "$child"
  echo "supervise: $1 exited with $?, starting it again"
  sleep 0.5
done
