#!/bin/bash
# build.sh kubernetes|csi OUT   builds one half of the test cluster's binaries into OUT, from the Go module proxy:
#   kubernetes   the control plane, kubelet, kubectl and the CSI sidecars, with the snapshot CRDs in OUT/crd
#   csi          what this directory holds itself: cmd/*
# Prints "packages N" (how many there are to compile at most) and then each package as it is compiled.
set -euo pipefail
what=${1:?kubernetes or csi} out=${2:?where to}
cd "$(dirname "$0")"

version=v1.36.3
ldflags="-s -w -X main.version=test"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=36 -X $package.gitCommit=test"
  ldflags+=" -X $package.gitTreeState=clean -X $package.buildDate=2026-01-01T00:00:00Z"
done

case $what in
  csi) packages=(./cmd/...) ;;
  kubernetes)
    packages=(
      k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubectl,kubelet}
      github.com/kubernetes-csi/external-snapshotter/v8/cmd/{snapshot-controller,csi-snapshotter}
      github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner
    ) ;;
  *) echo "build.sh: unknown part $what" >&2; exit 2 ;;
esac

export CGO_ENABLED=0 GOFLAGS="-buildvcs=false ${GOFLAGS:-}"
mkdir -p "$out"
echo "packages $(go list -deps "${packages[@]}" | wc -l)"
nice go build -v -ldflags "$ldflags" -o "$out/" "${packages[@]}"

if [ "$what" = kubernetes ]; then
  crds=$(go list -m -f '{{.Dir}}' github.com/kubernetes-csi/external-snapshotter/client/v8)/config/crd
  mkdir -p "$out/crd"
  install -m 644 "$crds"/*.yaml "$out/crd/"
  rm -f "$out/crd/kustomization.yaml"
fi
