#!/bin/bash
# up.sh [N]   brings up cluster N (1 by default): etcd, control plane, snapshot controller, CSI driver with its sidecars, and a
# node (containerd, kubelet) where it can run. What already runs is left alone.
#   NODE=0   no node;  NODE=1   a node or a failure;  otherwise a node if it can run, and with CI=true a failure if it cannot
# Ends with two lines, KUBECONFIG=… and CLUSTER=… (a JSON description). Exit code 3: a prerequisite is missing.
set -euo pipefail
N=${1:-1}
[[ $N =~ ^[1-9]$ ]] || { echo "usage: up.sh [1-9]" >&2; exit 2; }
[ "$(uname -s)" = Linux ] || { echo "test cluster: missing prerequisite: Linux" >&2; exit 3; }
. "$(dirname "${BASH_SOURCE[0]}")/parts/paths.sh"
. "$HERE/parts/processes.sh"
. "$HERE/parts/slots.sh"
for tool in openssl flock setsid sha256sum base64; do command -v $tool >/dev/null || missing "$tool"; done
. "$HERE/parts/binaries.sh"
# Only the build needs a proxy; csi-provisioner lets KUBECONFIG win over --kubeconfig.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY KUBECONFIG

CLUSTER=$RUN/c$N
KUBECONFIG_FILE=$CLUSTER/kubeconfig
ADMIN_TOKEN=test-admin-token NOBODY_TOKEN=test-nobody-token
COMPACTION_INTERVAL=5s
mkdir -p "$CLUSTER"/{log,pid} "$SHARED"/{log,pid,dirvol}
(umask 077 && mkdir -p "$CLUSTER/etcd")
exec 9>"$RUN/c$N.lock"
flock 9

# Processes of older binaries would test something else than what the checkout holds.
restart_if_changed() { # restart_if_changed FOLDER: FOLDER/binaries holds what its processes were started from
  [ "$(cat "$1/binaries" 2>/dev/null)" = "$KUBERNETES $CSI" ] || stop_all "$1"
  echo "$KUBERNETES $CSI" >"$1/binaries"
}
restart_if_changed "$CLUSTER"
(
  flock 9
  restart_if_changed "$SHARED"
) 9>"$RUN/shared.lock"

claim_slot "$CLUSTER"
SERVER=https://127.0.0.1:$(port "$SLOT" 0)
# 198.18.0.0/15 is set aside for tests of networks (RFC 2544): no real network to collide with.
PODS=198.18.$SLOT SERVICES=198.19.$SLOT
NODE_IP=$PODS.1 NODE_NAME=node$N BRIDGE=lifeboat$SLOT
kubectl() { "$KUBERNETES/kubectl" --kubeconfig "$KUBECONFIG_FILE" "$@"; }

. "$HERE/parts/credentials.sh"
. "$HERE/parts/control-plane.sh"
node=false node_reason="asked for with NODE=0"
if [ "${NODE:-}" != 0 ]; then . "$HERE/parts/node.sh"; fi

description=$CLUSTER/cluster.json
cat >"$description.partial" <<JSON
{
  "number": $N,
  "kubeconfigPath": "$KUBECONFIG_FILE",
  "server": "$SERVER",
  "caPath": "$PKI/ca.crt",
  "adminToken": "$ADMIN_TOKEN",
  "nobodyToken": "$NOBODY_TOKEN",
  "node": $node,
  "nodeReason": "$node_reason",
  "dirvolPath": "$SHARED/dirvol",
  "binPath": "$KUBERNETES",
  "runPath": "$CLUSTER"
}
JSON
mv "$description.partial" "$description"
say "cluster $N: ready"
echo "KUBECONFIG=$KUBECONFIG_FILE"
echo "CLUSTER=$description"
