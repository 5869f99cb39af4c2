# shellcheck shell=bash
# Sourced by up.sh: the keys, certificates, tokens and kubeconfigs of cluster $N in $CLUSTER, made once.
PKI=$CLUSTER/pki

authority() { # authority NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=lifeboat-$N-$1" \
    -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature -keyout "$PKI/$1.key" -out "$PKI/$1.crt" 2>/dev/null
}

certificate() { # certificate NAME SUBJECT [ALTERNATIVE-NAMES]
  [ ! -s "$PKI/$1.crt" ] || return 0
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$2" \
    -keyout "$PKI/$1.key" -out "$PKI/$1.csr" 2>/dev/null
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}" >"$PKI/$1.ext"
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 3650 \
    -extfile "$PKI/$1.ext" -out "$PKI/$1.crt" 2>/dev/null
}

kubeconfig() { # kubeconfig CERTIFICATE FILE
  (umask 077 && cat >"$2.partial") <<YAML
apiVersion: v1
kind: Config
current-context: lifeboat-$N
clusters: [{name: lifeboat-$N, cluster: {server: "$SERVER", certificate-authority-data: $(base64 -w0 <"$PKI/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 <"$PKI/$1.crt"), client-key-data: $(base64 -w0 <"$PKI/$1.key")}}]
contexts: [{name: lifeboat-$N, context: {cluster: lifeboat-$N, user: $1}}]
YAML
  mv "$2.partial" "$2"
}

if [ ! -s "$CLUSTER/tokens.csv" ]; then
  mkdir -p "$PKI"
  authority ca
  authority front-proxy-ca
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  certificate apiserver /CN=kube-apiserver \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$SERVICES.1,IP:$NODE_IP"
  certificate admin /O=system:masters/CN=test-admin
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  certificate controller-manager /CN=system:kube-controller-manager
  certificate scheduler /CN=system:kube-scheduler
  certificate node "/O=system:nodes/CN=system:node:$NODE_NAME" "DNS:$NODE_NAME,IP:$NODE_IP,IP:127.0.0.1"
  for user in controller-manager scheduler node; do kubeconfig $user "$CLUSTER/$user.kubeconfig"; done
  kubeconfig admin "$KUBECONFIG_FILE"
  printf '%s,test-admin,1,"system:masters"\n%s,test-nobody,2,"test-nobodies"\n' "$ADMIN_TOKEN" "$NOBODY_TOKEN" >"$CLUSTER/tokens.csv"
fi
