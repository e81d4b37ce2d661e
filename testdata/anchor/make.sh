#!/bin/sh
# Makes the time stamps in this folder anew, with OpenSSL 3: authorities, their certificates, and what they
# say about the file `checkpoint`. Keys are made and thrown away. Tests read the files as they lie, so the
# times in them do not matter.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/conf" <<EOF
[ca_root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
[lax]
extendedKeyUsage = timeStamping
[both]
extendedKeyUsage = critical,timeStamping,codeSigning
[signing]
extendedKeyUsage = critical,codeSigning
[ca]
default_ca = ca_default
[ca_default]
database = $work/index
new_certs_dir = $work
rand_serial = yes
policy = any
[any]
commonName = supplied
[tsa]
default_tsa = tsa_default
[tsa_default]
serial = $work/serial
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
EOF
: > "$work/index"
echo 01 > "$work/serial"

# root NAME: an authority's authority.
root() {
    openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 36500 -keyout "$work/$1.key" -out "$1.pem" \
        -subj "/O=Example/CN=$1" -config "$work/conf" -extensions ca_root 2> /dev/null
}
# holder NAME ISSUER SECTION KEY...: a certificate.
holder() {
    name=$1 issuer=$2 section=$3
    shift 3
    openssl req -new -newkey "$@" -nodes -keyout "$work/$name.key" -out "$work/$name.csr" \
        -subj "/O=Example/CN=$name stamping" -config "$work/conf" 2> /dev/null
    openssl x509 -req -in "$work/$name.csr" -CA "$issuer.pem" -CAkey "$work/$issuer.key" -days 36500 \
        -sha256 -extfile "$work/conf" -extensions "$section" -out "$work/$name.pem" 2> /dev/null
}
# stamp NAME SIGNER HASH [OPTION...]: what SIGNER says about the checkpoint.
stamp() {
    name=$1 signer=$2 hash=$3
    shift 3
    openssl ts -query -data checkpoint -sha256 -cert -out "$work/query" 2> /dev/null
    openssl ts -reply -config "$work/conf" -queryfile "$work/query" -signer "$work/$signer.pem" \
        -inkey "$work/$signer.key" "-$hash" "$@" -out "$name.tsr" 2> /dev/null
}

root authority
root stranger
holder rsa authority stamping rsa:2048
holder p256 authority stamping ec -pkeyopt ec_paramgen_curve:P-256
holder p384 authority stamping ec -pkeyopt ec_paramgen_curve:P-384
holder strange stranger stamping rsa:2048
for hash in sha256 sha384 sha512; do stamp "rsa-$hash" rsa "$hash"; done
stamp p256-sha256 p256 sha256
stamp p384-sha384 p384 sha384
stamp p384-sha512 p384 sha512
stamp stranger strange sha256

# One that names its certificate by SHA-1, as authorities did before RFC 5816.
sed -i 's/^ess_cert_id_chain.*/&\ness_cert_id_alg = sha1/' "$work/conf"
stamp older rsa sha256
sed -i '/^ess_cert_id_alg/d' "$work/conf"

# One below another authority.
openssl req -new -newkey rsa:2048 -nodes -keyout "$work/middle.key" -out "$work/middle.csr" \
    -subj "/O=Example/CN=middle" -config "$work/conf" 2> /dev/null
openssl x509 -req -in "$work/middle.csr" -CA authority.pem -CAkey "$work/authority.key" -days 36500 -sha256 \
    -extfile "$work/conf" -extensions ca_root -out middle.pem 2> /dev/null
holder below middle stamping rsa:2048
mv middle.pem "$work/middle.pem"
stamp chain below sha256 -chain "$work/middle.pem"

# Of one whose time is over; and certificates of keys that are not for time stamping alone, with which
# OpenSSL does not stamp.
openssl req -new -key "$work/rsa.key" -subj "/O=Example/CN=expired stamping" -config "$work/conf" \
    -out "$work/expired.csr" 2> /dev/null
openssl ca -batch -config "$work/conf" -cert authority.pem -keyfile "$work/authority.key" -md sha256 \
    -in "$work/expired.csr" -startdate 20200101000000Z -enddate 20210101000000Z -extfile "$work/conf" \
    -extensions stamping -notext -out "$work/expired.pem" 2> /dev/null
cp "$work/rsa.key" "$work/expired.key"
stamp expired expired sha256
for section in lax both signing; do
    openssl x509 -req -in "$work/rsa.csr" -CA authority.pem -CAkey "$work/authority.key" -days 36500 -sha256 \
        -extfile "$work/conf" -extensions "$section" -out "purpose-$section.pem" 2> /dev/null
done

# A question that is refused: a hash that the authority does not take.
openssl ts -query -data checkpoint -sha1 -out "$work/query" 2> /dev/null
openssl ts -reply -config "$work/conf" -queryfile "$work/query" -signer "$work/rsa.pem" \
    -inkey "$work/rsa.key" -sha256 -out refused.tsr > /dev/null 2>&1 || true
# The token alone, as some tools keep it.
openssl ts -reply -in rsa-sha256.tsr -token_out -out bare.token 2> /dev/null
# Without certificates: the caller has them.
openssl ts -query -data checkpoint -sha256 -out "$work/query" 2> /dev/null
openssl ts -reply -config "$work/conf" -queryfile "$work/query" -signer "$work/rsa.pem" \
    -inkey "$work/rsa.key" -sha256 -out without.tsr 2> /dev/null
cat authority.pem "$work/rsa.pem" > authority-and-signer.pem
# Another certificate of that key, with the same number by the same issuer.
openssl x509 -req -in "$work/rsa.csr" -CA authority.pem -CAkey "$work/authority.key" -days 30000 -sha256 \
    -set_serial "0x$(openssl x509 -in "$work/rsa.pem" -noout -serial | cut -d= -f2)" \
    -extfile "$work/conf" -extensions stamping -out "$work/twin.pem" 2> /dev/null
cat authority.pem "$work/twin.pem" > authority-and-twin.pem
for file in *.tsr; do
    case $file in refused.tsr | expired.tsr | stranger.tsr | without.tsr) continue ;; esac
    openssl ts -verify -data checkpoint -in "$file" -CAfile authority.pem > /dev/null 2>&1 \
        || { echo "OpenSSL does not accept $file" >&2; exit 1; }
done
