# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Certificates of a test cluster: a CA, the broker's for localhost, a client's. To be sourced.

# tls_sign FOLDER NAME [EXTENSION]: FOLDER/NAME.key and NAME.pem, signed by the CA in FOLDER.
tls_sign() {
    local folder=$1 name=$2 extension=${3:-basicConstraints=CA:FALSE}
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$folder/$name.key" -out "$folder/$name.csr"
    openssl x509 -req -days 3650 -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial \
        -extfile <(printf '%s\n' "$extension") -out "$folder/$name.pem"
}

# tls_make FOLDER: ca.pem, broker.pem (key and chain, as Kafka reads it), client.key and client.pem. What is there stays.
tls_make() {
    local folder=$1
    [[ ! -f $folder/broker.pem ]] || return 0
    mkdir -p "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=test-ca -keyout "$folder/ca.key" -out "$folder/ca.pem"
    tls_sign "$folder" client
    tls_sign "$folder" localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'
    cat "$folder/localhost.key" "$folder/localhost.pem" "$folder/ca.pem" >"$folder/broker.pem"
}
