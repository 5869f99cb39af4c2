# shellcheck shell=bash
# Sourced by down.sh, and by node.sh when the node does not come up: ends the kubelet, the containers and containerd of $CLUSTER,
# then its mounts, its bridge and its control groups.
ctr_k8s() { ctr -a "$CLUSTER/cri/c.sock" -n k8s.io "$@" 2>/dev/null; }

remove_containers() {
  local item
  for item in $(ctr_k8s tasks ls -q); do ctr_k8s tasks kill -s SIGKILL "$item"; done
  for item in $(ctr_k8s tasks ls -q); do ctr_k8s tasks rm -f "$item"; done
  for item in $(ctr_k8s containers ls -q); do ctr_k8s containers rm "$item"; done
} >/dev/null

remove_node() {
  local slot folder
  slot=$(cat "$CLUSTER/slot" 2>/dev/null) || return 0
  # The kubelet first: it would start the containers again.
  stop "$CLUSTER" csireg-dirvol
  stop "$CLUSTER" kubelet
  ! alive "$CLUSTER" containerd || remove_containers || true
  stop "$CLUSTER" containerd
  unmount_below "$CLUSTER"
  [ "$(slot_owner "$slot")" = "$CLUSTER" ] || return 0
  ! ip link show "lifeboat$slot" >/dev/null 2>&1 || ip link del "lifeboat$slot" || true
  for folder in /sys/fs/cgroup/lifeboat"$slot" /sys/fs/cgroup/*/lifeboat"$slot"; do
    [ ! -d "$folder" ] || find "$folder" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}
remove_node
