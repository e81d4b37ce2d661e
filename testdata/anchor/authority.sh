#!/bin/sh
# A time-stamping authority that OpenSSL plays, in the current folder. `make` makes its keys and certificates
# (`ca.pem` is what others know it by), `query` asks it about the file `note`, `reply` answers the file `query`
# with the file `answer`. Ends with 127 where OpenSSL is not installed.
set -eu
command -v openssl > /dev/null || exit 127

certificate() {
    openssl req "$1" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config conf -keyout "$2.key" \
        -out "$3" -subj "/CN=$4" -extensions "$5"
}

case $1 in
make)
    cat > conf <<EOF
[root]
basicConstraints = critical,CA:TRUE
[stamping]
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = here
[here]
serial = serial
default_policy = 1.2.3.4
digests = sha256
EOF
    echo 01 > serial
    certificate -x509 ca ca.pem root root
    certificate -new tsa tsa.csr stamper stamping
    openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -extfile conf -extensions stamping -out tsa.pem
    ;;
query) openssl ts -query -data note -sha256 -cert -out query ;;
reply)
    openssl ts -reply -config conf -queryfile query -signer tsa.pem -inkey tsa.key -sha256 -out answer
    ;;
esac
