# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The settings of one broker and the credentials of its clients. scripts/kafka sources this and sets
# directory, brokers, port and auth of the cluster; everything is written below $directory.
# shellcheck disable=SC2154

# The super user, and those of infra/kafka/acls.txt.
KAFKA_USERS=(admin gateway launcher billing retention webhooks auditor reader)

# client_port NODE and controller_port NODE: nodes count from 1; the clients' ports come first.
client_port() { printf '%d' $((port + $1 - 1)); }
controller_port() { printf '%d' $((port + brokers + $1 - 1)); }
# With proxies: where the node listens for them, and where its clients are told to connect.
proxied_port() { printf '%d' $((port + 2 * brokers + $1 - 1)); }
proxy_port() { printf '%d' $((port + 3 * brokers + $1 - 1)); }

# The brokers' addresses for clients, separated by commas.
bootstrap() {
  local node addresses=()
  for ((node = 1; node <= brokers; ++node)); do
    addresses+=("127.0.0.1:$(client_port "$node")")
  done
  (IFS=, && printf '%s' "${addresses[*]}")
}

has_proxies() { [[ ${proxies:-no} == yes ]]; }
has_tls() { [[ $auth == *tls* ]]; }
has_acl() { [[ $auth == *acl* ]]; }

# listeners_of NODE PORT_OF: for clients; PORT_OF NODE is the port of the one for proxies.
listeners_of() {
  printf 'CLIENT://127.0.0.1:%s' "$(client_port "$1")"
  if has_proxies; then printf ',PROXIED://127.0.0.1:%s' "$("$2" "$1")"; fi
}

# What clients set as security.protocol.
security_protocol() {
  case "$auth" in
    none) printf PLAINTEXT ;;
    tls) printf SSL ;;
    acl) printf SASL_PLAINTEXT ;;
    acl+tls) printf SASL_SSL ;;
  esac
}

# write_properties NODE: server.properties of a node that is broker and controller.
write_properties() {
  local node=$1 file=$directory/$1/server.properties voter voters=() copies=1 insync=1
  if ((brokers >= 3)); then copies=3 insync=2; fi
  for ((voter = 1; voter <= brokers; ++voter)); do
    voters+=("$voter@127.0.0.1:$(controller_port "$voter")")
  done
  mkdir -p -- "$directory/$node"
  (umask 077 && : >"$file")
  cat >"$file" <<EOF
process.roles=broker,controller
node.id=$node
controller.quorum.voters=$(IFS=, && printf '%s' "${voters[*]}")
listeners=$(listeners_of "$node" proxied_port),CONTROLLER://127.0.0.1:$(controller_port "$node")
advertised.listeners=$(listeners_of "$node" proxy_port)
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
log.dirs=$directory/$node/data

# Durability as a cluster in production has it, as far as there are brokers.
default.replication.factor=$copies
min.insync.replicas=$insync
offsets.topic.replication.factor=$copies
transaction.state.log.replication.factor=$copies
transaction.state.log.min.isr=$insync
share.coordinator.state.topic.replication.factor=$copies
share.coordinator.state.topic.min.isr=$insync
auto.create.topics.enable=false

# Tests neither wait for groups, nor for retention and compaction, nor for a killed broker's session
# (a node that comes back before its session is over is refused until then).
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=4
log.retention.check.interval.ms=2000
log.segment.delete.delay.ms=1000
log.cleaner.backoff.ms=500
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500

# Small: the default buffer of the cleaner alone is a quarter of the heap.
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
EOF
  security_properties >>"$file"
}

# The part of server.properties that depends on how clients authenticate.
security_properties() {
  printf '\n'
  if ! has_acl; then
    printf 'listener.security.protocol.map=CLIENT:%s,CONTROLLER:PLAINTEXT%s\n' \
      "$(security_protocol)" "$(if has_proxies; then printf ',PROXIED:PLAINTEXT'; fi)"
  else
    # Here the controllers' listener asks for a password as well: it would be a way around the ACLs.
    printf 'listener.security.protocol.map=CLIENT:%s,CONTROLLER:SASL_PLAINTEXT\n' \
      "$(security_protocol)"
    local user plain=org.apache.kafka.common.security.plain.PlainLoginModule
    plain+=" required username=\"admin\" password=\"$(password_of admin)\""
    for user in "${KAFKA_USERS[@]}"; do plain+=" user_$user=\"$(password_of "$user")\""; done
    cat <<EOF
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
allow.everyone.if.no.acl.found=false
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.plain.sasl.jaas.config=$plain;
listener.name.controller.plain.sasl.jaas.config=$plain;
EOF
  fi
  if has_tls; then
    # Who has no password proves itself by a certificate of the same CA.
    cat <<EOF
ssl.client.auth=$(if has_acl; then printf none; else printf required; fi)
ssl.keystore.type=PEM
ssl.keystore.location=$directory/tls/broker.keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location=$directory/tls/ca.pem
EOF
  fi
}

password_of() { cat -- "$directory/clients/$1.password"; }

# For each user clients/USER.conf (librdkafka: kcat -F, confluent-kafka), USER.properties (Kafka's
# own tools) and, where there are passwords, USER.password.
write_clients() {
  local user clients=$directory/clients
  mkdir -p -- "$clients"
  chmod 700 -- "$clients"
  if has_tls; then make_certificates; fi
  for user in "${KAFKA_USERS[@]}"; do
    if has_acl; then openssl rand -hex 16 >"$clients/$user.password"; fi
    client_conf "$user" >"$clients/$user.conf"
    client_properties "$user" >"$clients/$user.properties"
  done
  # Sandtrail takes no password from a file that others may read.
  chmod 600 -- "$clients"/*
}

client_conf() {
  local tls=$directory/tls
  printf 'security.protocol=%s\n' "$(security_protocol)"
  if has_acl; then
    # Not SCRAM: librdkafka before 2.6.1 repeats its nonce, which Kafka 4 refuses as "invalid
    # credentials" (librdkafka#4895), and Debian 12 has 2.0.2.
    printf 'sasl.mechanism=PLAIN\nsasl.username=%s\nsasl.password=%s\n' "$1" "$(password_of "$1")"
  fi
  if has_tls; then printf 'ssl.ca.location=%s\n' "$tls/ca.pem"; fi
  if [[ $auth == tls ]]; then
    printf 'ssl.certificate.location=%s\nssl.key.location=%s\n' "$tls/client.pem" "$tls/client.key"
  fi
}

client_properties() {
  local tls=$directory/tls
  printf 'security.protocol=%s\n' "$(security_protocol)"
  if has_acl; then
    printf 'sasl.mechanism=PLAIN\nsasl.jaas.config=%s required username="%s" password="%s";\n' \
      org.apache.kafka.common.security.plain.PlainLoginModule "$1" "$(password_of "$1")"
  fi
  if has_tls; then
    printf 'ssl.truststore.type=PEM\nssl.truststore.location=%s\n' "$tls/ca.pem"
  fi
  if [[ $auth == tls ]]; then
    printf 'ssl.keystore.type=PEM\nssl.keystore.location=%s\n' "$tls/client.keystore.pem"
  fi
}

# A private CA, the brokers' certificate, and one for clients whose key is also kept encrypted, to
# try ssl.key.password.
make_certificates() {
  local tls=$directory/tls name
  mkdir -p -- "$tls"
  chmod 700 -- "$tls"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj '/O=Sandtrail tests/CN=Kafka CA' -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
  for name in broker client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
      -subj "/O=Sandtrail tests/CN=$name" -keyout "$tls/$name.key" \
      -out "$tls/$name.csr" 2>/dev/null
    openssl x509 -req -in "$tls/$name.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial \
      -days 30 -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost') \
      -out "$tls/$name.pem" 2>/dev/null
    # What Kafka calls a PEM key store: the key (PKCS#8), then the chain.
    cat -- "$tls/$name.key" "$tls/$name.pem" "$tls/ca.pem" >"$tls/$name.keystore.pem"
    rm -- "$tls/$name.csr"
  done
  openssl rand -hex 16 >"$tls/client.encrypted.password"
  openssl pkcs8 -topk8 -in "$tls/client.key" -out "$tls/client.encrypted.key" \
    -passout "file:$tls/client.encrypted.password"
}
