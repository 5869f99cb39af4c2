# shellcheck shell=bash
# Sourced by node.sh: make_images FOLDER writes busybox.tar and pause.tar (docker-archive), without any registry.

image() { # image OUT ROOTFS ENTRYPOINT CMD TAGS: the last three as JSON
  local out=$1 rootfs=$2 work digest
  work=$(mktemp -d "$out.XXXXXX")
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$rootfs" -cf "$work/layer.tar" .
  digest=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
  cat >"$work/config.json" <<JSON
{"architecture":"$(go env GOARCH)","os":"linux","created":"1970-01-01T00:00:00Z",
 "config":{"Env":["PATH=/bin:/sbin:/usr/bin:/usr/sbin"],"Entrypoint":$3,"Cmd":$4,"WorkingDir":"/"},
 "rootfs":{"type":"layers","diff_ids":["sha256:$digest"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}
JSON
  echo "[{\"Config\":\"config.json\",\"RepoTags\":$5,\"Layers\":[\"layer.tar\"]}]" >"$work/manifest.json"
  tar -C "$work" -cf "$out" manifest.json config.json layer.tar
  rm -rf "$work"
}

make_images() { # make_images FOLDER
  local root=$1/root applet
  mkdir -p "$root"/{bin,etc,tmp,root,proc,sys,dev,var,data}
  chmod 1777 "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  image "$1/busybox.tar" "$root" null '["sh"]' \
    '["docker.io/library/busybox:latest","docker.io/library/busybox:1.36","lifeboat.test/busybox:1"]'
  rm -rf "$root"
  mkdir "$root"
  cp "$CSI/pause" "$root/pause"
  image "$1/pause.tar" "$root" '["/pause"]' null '["lifeboat.test/pause:1"]'
  rm -rf "$root"
}
