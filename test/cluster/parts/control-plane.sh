# shellcheck shell=bash
# Sourced by up.sh: etcd, API server, controllers, the CSI driver and its sidecars for cluster $N.
client=http://127.0.0.1:$(port "$SLOT" 1) peer=http://127.0.0.1:$(port "$SLOT" 2)

start "$CLUSTER" etcd "$CSI/etcd" --name default --data-dir "$CLUSTER/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "$client" --advertise-client-urls "$client" \
  --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"

# The short compaction interval makes "410 Gone" on a list's continue token something a test can wait for, and on a watch too where
# no watch cache stands in between, which remembers every event of a quiet resource for good.
start "$CLUSTER" kube-apiserver "$KUBERNETES/kube-apiserver" \
  --etcd-servers "$client" --etcd-compaction-interval "$COMPACTION_INTERVAL" --watch-cache-sizes podtemplates#0 \
  --bind-address 127.0.0.1 --secure-port "$(port "$SLOT" 0)" --advertise-address 127.0.0.1 --endpoint-reconciler-type none \
  --service-cluster-ip-range "$SERVICES.0/24" \
  --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" \
  --kubelet-client-certificate "$PKI/kubelet-client.crt" --kubelet-client-key "$PKI/kubelet-client.key" \
  --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP \
  --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" \
  --service-account-issuer https://kubernetes.default.svc \
  --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
  --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
  --requestheader-extra-headers-prefix X-Remote-Extra- \
  --token-auth-file "$CLUSTER/tokens.csv" --authorization-mode Node,RBAC \
  --enable-admission-plugins NodeRestriction --allow-privileged --profiling=false
wait_for 60 kubectl get --raw /readyz || fail "the API server did not become ready: see $CLUSTER/log/kube-apiserver.log and etcd.log"
say "cluster $N: API server ready"

start "$CLUSTER" kube-controller-manager "$KUBERNETES/kube-controller-manager" --kubeconfig "$CLUSTER/controller-manager.kubeconfig" \
  --authentication-kubeconfig "$CLUSTER/controller-manager.kubeconfig" --authorization-kubeconfig "$CLUSTER/controller-manager.kubeconfig" \
  --root-ca-file "$PKI/ca.crt" --service-account-private-key-file "$PKI/sa.key" --use-service-account-credentials \
  --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" \
  --leader-elect=false --bind-address 127.0.0.1 --secure-port "$(port "$SLOT" 3)" --profiling=false
start "$CLUSTER" kube-scheduler "$KUBERNETES/kube-scheduler" --kubeconfig "$CLUSTER/scheduler.kubeconfig" \
  --authentication-kubeconfig "$CLUSTER/scheduler.kubeconfig" --authorization-kubeconfig "$CLUSTER/scheduler.kubeconfig" \
  --leader-elect=false --bind-address 127.0.0.1 --secure-port "$(port "$SLOT" 4)" --profiling=false

if [ "$(cat "$CLUSTER/crds" 2>/dev/null)" != "$KUBERNETES" ]; then
  kubectl apply --server-side --force-conflicts -f "$KUBERNETES/crd" >/dev/null
  kubectl wait --for condition=established --timeout=30s crd --all >/dev/null
  echo "$KUBERNETES" >"$CLUSTER/crds"
fi
wait_for 20 kubectl apply -f "$HERE/manifests/storage.yaml"

# One driver process serves every cluster of the checkout: a snapshot's handle means the same everywhere.
(
  flock 9
  supervised "$SHARED" dirvol "$CSI/dirvol" -name "$DRIVER" -endpoint "$SHARED/dirvol.sock" -data "$SHARED/dirvol" -node node
  wait_for 20 test -S "$SHARED/dirvol.sock"
) 9>"$RUN/shared.lock"
sidecar=(--kubeconfig "$KUBECONFIG_FILE" --kube-api-qps 100 --kube-api-burst 200 --v 4)
supervised "$CLUSTER" snapshot-controller "$KUBERNETES/snapshot-controller" "${sidecar[@]}" --leader-election=false --http-endpoint=
sidecar+=(--csi-address "$SHARED/dirvol.sock" --leader-election=false --extra-create-metadata)
supervised "$CLUSTER" csi-snapshotter-dirvol "$KUBERNETES/csi-snapshotter" "${sidecar[@]}"
supervised "$CLUSTER" csi-provisioner-dirvol "$KUBERNETES/csi-provisioner" "${sidecar[@]}" --timeout 60s
wait_for 30 kubectl -n default get serviceaccount default
say "cluster $N: control plane, snapshot controller and CSI driver run"
