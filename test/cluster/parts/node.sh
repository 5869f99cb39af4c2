# shellcheck shell=bash
# Sourced by up.sh: containerd and a kubelet for cluster $N. Sets node, and node_reason when there is none.
. "$HERE/parts/images.sh"
CRI=$CLUSTER/cri
CNI=/usr/lib/cni
# shellcheck disable=SC2153  # up.sh sets SLOT
KUBELET_PORT=$(port "$SLOT" 5) HEALTHZ_PORT=$(port "$SLOT" 6)

node_prerequisites() { # prints what is missing, nothing if the node can run
  local tool plugin
  [ "$(id -u)" = 0 ] || echo "root"
  for tool in containerd ctr runc busybox ip mount mkfs.ext4; do command -v $tool >/dev/null || echo "$tool"; done
  for plugin in bridge host-local loopback; do [ -x $CNI/$plugin ] || echo "$CNI/$plugin"; done
}

network() {
  ip link show "$BRIDGE" >/dev/null 2>&1 || ip link add "$BRIDGE" type bridge
  # Not grep -q: it ends early, which kills ip and so fails the pipe.
  ip addr show dev "$BRIDGE" | grep "$NODE_IP/" >/dev/null || ip addr add "$NODE_IP/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  cat >"$CRI/cni/10-test.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "$BRIDGE", "plugins": [{
  "type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$CRI/ipam",
    "ranges": [[{"subnet": "$PODS.0/24", "rangeStart": "$PODS.10"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
}

control_groups() {
  local controller
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir -p "/sys/fs/cgroup/$BRIDGE"
    return
  fi
  # Version 1: the root must exist in every hierarchy, with cpuset filled.
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
    mkdir -p "/sys/fs/cgroup/$controller/$BRIDGE"
  done
  cat /sys/fs/cgroup/cpuset/cpuset.cpus >"/sys/fs/cgroup/cpuset/$BRIDGE/cpuset.cpus"
  cat /sys/fs/cgroup/cpuset/cpuset.mems >"/sys/fs/cgroup/cpuset/$BRIDGE/cpuset.mems"
}

container_runtime() {
  local plugin=io.containerd image
  cat >"$CRI/config.toml" <<TOML
version = 2
root = "$CRI/root"
state = "$CRI/state"
disabled_plugins = ["$plugin.snapshotter.v1.aufs", "$plugin.snapshotter.v1.zfs", "$plugin.snapshotter.v1.devmapper",
  "$plugin.snapshotter.v1.btrfs", "$plugin.internal.v1.opt", "$plugin.tracing.processor.v1.otlp", "$plugin.internal.v1.tracing"]
[grpc]
  address = "$CRI/c.sock"
[plugins."$plugin.grpc.v1.cri"]
  sandbox_image = "lifeboat.test/pause:1"
  disable_apparmor = true
  disable_hugetlb_controller = true
  # Without CAP_SYS_RESOURCE, as in many containers and small machines, runc cannot lower oom_score_adj.
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."$plugin.grpc.v1.cri".cni]
    bin_dir = "$CNI"
    conf_dir = "$CRI/cni"
  [plugins."$plugin.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."$plugin.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."$plugin.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
TOML
  start "$CLUSTER" containerd containerd --config "$CRI/config.toml"
  wait_for 30 ctr -a "$CRI/c.sock" version
  for image in pause busybox; do
    ctr -a "$CRI/c.sock" -n k8s.io images ls -q | grep "$image:1$" >/dev/null ||
      ctr -a "$CRI/c.sock" -n k8s.io images import "$IMAGES/$image.tar" >/dev/null
  done
}

kubelet_process() {
  cat >"$CLUSTER/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /$BRIDGE
address: $NODE_IP
port: $KUBELET_PORT
healthzBindAddress: 127.0.0.1
healthzPort: $HEALTHZ_PORT
readOnlyPort: 0
tlsCertFile: $PKI/node.crt
tlsPrivateKeyFile: $PKI/node.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$CRI/c.sock
resolvConf: /etc/resolv.conf
clusterDomain: cluster.local
clusterDNS: [$SERVICES.10]
makeIPTablesUtilChains: false
evictionHard: {memory.available: 50Mi, nodefs.available: "1%", nodefs.inodesFree: "1%", imagefs.available: "1%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
enforceNodeAllocatable: [pods]
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
podLogsDir: $CLUSTER/podlogs
YAML
  start "$CLUSTER" kubelet "$KUBERNETES/kubelet" --config "$CLUSTER/kubelet.yaml" --kubeconfig "$CLUSTER/node.kubeconfig" \
    --hostname-override "$NODE_NAME" --node-ip "$NODE_IP" --root-dir "$CLUSTER/kubelet" --cert-dir "$CLUSTER/pki/kubelet" --v 2
  supervised "$CLUSTER" csireg-dirvol "$CSI/csireg" -name "$DRIVER" -endpoint "$SHARED/dirvol.sock" \
    -registry "$CLUSTER/kubelet/plugins_registry"
  wait_for 60 kubectl wait --for condition=Ready "node/$NODE_NAME" --timeout=2s
  # A pod with a volume can be placed only once the node knows the driver.
  wait_for 30 kubectl wait --for "jsonpath={.spec.drivers[0].name}=$DRIVER" "csinode/$NODE_NAME" --timeout=2s
}

node_up() {
  mkdir -p "$CRI"/{root,state,cni} "$CLUSTER/kubelet/plugins_registry" "$PKI/kubelet" "$CLUSTER/podlogs"
  network
  control_groups
  container_runtime
  kubelet_process
}

lacking=$(node_prerequisites | tr '\n' ' ')
if [ -n "$lacking" ]; then
  node_reason="missing for the node: ${lacking% } (Debian: apt-get install containerd runc busybox-static containernetworking-plugins iproute2 e2fsprogs)"
else
  IMAGES=$CACHE/images-$(cat "$HERE/parts/images.sh" "$CSI/pause" "$(command -v busybox)" | sha256sum | cut -c1-16)
  cached "$IMAGES" make_images
  # Not as a condition: there set -e would not end it at its first failure.
  set +e
  (set -e; node_up)
  node_status=$?
  set -e
  if [ $node_status = 0 ]; then
    node=true node_reason=
  else
    node_reason="the node did not become ready, see kubelet.log and containerd.log in $CLUSTER/log"
  fi
fi
if [ "$node" = false ]; then
  if [ "${NODE:-}" = 1 ] || [ "${CI:-}" = true ]; then fail "$node_reason"; fi
  . "$HERE/parts/node-down.sh"
  say "cluster $N: goes without a node: $node_reason"
else
  say "cluster $N: node ready"
fi
