//! The keyring's bytes: written and read as the parent module's documentation lays them down.

use super::{Entry, KeyInfo, Keyring, KeyringError, KeyringHeader, MAX_KEYS};
use crate::{
    DataKey, Entropy, HmacKey, Kek, KekId, KekOrigin, KeyId, NONCE_BYTES, PassphraseKdf, Purpose,
    SecretKey, TAG_BYTES, random,
};
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"TACHOKEY";
const VERSION: u16 = 1;
pub(super) const HEADER_BYTES: usize = 76;
pub(super) const ENTRY_BYTES: usize = 85;
pub(super) const MAC_BYTES: usize = 32;
const WRAPPED_BYTES: usize = 32 + TAG_BYTES;

const WRAP_LABEL: &[u8] = b"tachograph/keyring/wrap/v1\0";
const MAC_LABEL: &[u8] = b"tachograph/keyring/mac/v1\0";
const ENTRY_LABEL: &[u8] = b"tachograph/keyring/entry/v1\0";

/// The keyring as bytes, at the generation it stands at.
pub(super) fn write(
    keyring: &Keyring,
    kek: &Kek,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, KeyringError> {
    let count = keyring.entries.len();
    let mut out = Vec::with_capacity(HEADER_BYTES + count * ENTRY_BYTES + MAC_BYTES);
    write_header(&mut out, keyring, kek.origin(), count)?;
    let wrap = wrap_key(kek, &keyring.log_id, keyring.generation);
    for entry in &keyring.entries {
        write_entry(&mut out, &keyring.log_id, entry, &wrap, entropy)?;
    }
    let tag = mac_key(kek, &keyring.log_id).sign(&[&out]);
    out.extend_from_slice(&tag);
    Ok(out)
}

/// The header alone, unauthenticated.
pub(super) fn read_header(bytes: &[u8]) -> Result<KeyringHeader, KeyringError> {
    let mut reader = Reader(bytes);
    if reader.take::<8>().ok() != Some(*MAGIC) {
        return Err(KeyringError::NotAKeyring);
    }
    let version = u16::from_be_bytes(reader.take()?);
    if version != VERSION {
        return Err(KeyringError::UnsupportedVersion { version });
    }
    let [origin_code, reserved] = reader.take()?;
    let kek_id = KekId::from_bytes(reader.take()?);
    let log_id = reader.take()?;
    let generation = u64::from_be_bytes(reader.take()?);
    let salt: [u8; 16] = reader.take()?;
    let cost: [[u8; 4]; 3] = [reader.take()?, reader.take()?, reader.take()?];
    let keys = u32::from_be_bytes(reader.take()?);
    if reserved != 0 {
        return Err(damaged("a byte that must be zero is not"));
    }
    let origin = read_origin(origin_code, salt, cost.map(u32::from_be_bytes))?;
    Ok(KeyringHeader { log_id, kek_id, origin, generation, keys })
}

/// The whole keyring, authenticated and unwrapped.
pub(super) fn read(bytes: &[u8], kek: &Kek) -> Result<Keyring, KeyringError> {
    let header = read_header(bytes)?;
    if header.kek_id != kek.id() {
        return Err(KeyringError::WrongKek {
            expected: header.kek_id,
            given: kek.id(),
            origin: header.origin,
        });
    }
    let (signed, tag) = bytes
        .len()
        .checked_sub(MAC_BYTES)
        .filter(|length| *length >= HEADER_BYTES)
        .and_then(|length| bytes.split_at_checked(length))
        .ok_or_else(cut_off)?;
    // Fuzzing goes past the tag, or it would test nothing behind it; every wrapped key keeps its
    // own.
    if !mac_key(kek, &header.log_id).verify(&[signed], tag) && !cfg!(fuzzing) {
        return Err(damaged("its authentication tag does not match its bytes"));
    }
    let wrapped = signed.get(HEADER_BYTES..).ok_or_else(cut_off)?;
    let count = usize::try_from(header.keys).unwrap_or(usize::MAX);
    if count > MAX_KEYS || count.checked_mul(ENTRY_BYTES) != Some(wrapped.len()) {
        return Err(damaged("its number of entries does not match its length"));
    }
    let wrap = wrap_key(kek, &header.log_id, header.generation);
    let mut reader = Reader(wrapped);
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(read_entry(&mut reader, &header.log_id, &wrap)?);
    }
    let keyring = Keyring {
        log_id: header.log_id,
        kek_id: header.kek_id,
        generation: header.generation,
        entries,
    };
    if keyring.has_duplicates() {
        return Err(damaged("two entries have the same key id"));
    }
    Ok(keyring)
}

fn write_header(
    out: &mut Vec<u8>,
    keyring: &Keyring,
    origin: KekOrigin,
    count: usize,
) -> Result<(), KeyringError> {
    let count = u32::try_from(count).map_err(|_| KeyringError::Full)?;
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[origin.code(), 0]);
    out.extend_from_slice(keyring.kek_id.as_bytes());
    out.extend_from_slice(&keyring.log_id);
    out.extend_from_slice(&keyring.generation.to_be_bytes());
    let (salt, cost) = match origin {
        KekOrigin::Passphrase(kdf) => (*kdf.salt(), [kdf.memory_kib(), kdf.passes(), kdf.lanes()]),
        KekOrigin::File | KekOrigin::Environment | KekOrigin::Command => ([0; 16], [0; 3]),
    };
    out.extend_from_slice(&salt);
    for value in cost {
        out.extend_from_slice(&value.to_be_bytes());
    }
    out.extend_from_slice(&count.to_be_bytes());
    Ok(())
}

fn read_origin(code: u8, salt: [u8; 16], cost: [u32; 3]) -> Result<KekOrigin, KeyringError> {
    let origin = match code {
        1 => KekOrigin::File,
        2 => KekOrigin::Environment,
        3 => {
            let [memory_kib, passes, lanes] = cost;
            let kdf = PassphraseKdf::new(salt, memory_kib, passes, lanes)
                .map_err(|error| KeyringError::Passphrase(Box::new(error)))?;
            return Ok(KekOrigin::Passphrase(kdf));
        }
        4 => KekOrigin::Command,
        _ => return Err(damaged("the origin of its key-encryption key is unknown")),
    };
    if salt != [0; 16] || cost != [0; 3] {
        return Err(damaged("it has passphrase parameters and no passphrase"));
    }
    Ok(origin)
}

fn write_entry(
    out: &mut Vec<u8>,
    log_id: &[u8; 16],
    entry: &Entry,
    wrap: &DataKey,
    entropy: &dyn Entropy,
) -> Result<(), KeyringError> {
    let nonce = random::<NONCE_BYTES>(entropy)?;
    // Encrypted before it joins the output, so that plaintext never stands in a growing buffer.
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(entry.secret.expose());
    let tag = wrap
        .seal_in_place_separate_tag(nonce, &associated(log_id, &entry.info), secret.as_mut_slice())
        .map_err(|_| damaged("a key could not be wrapped"))?;
    out.extend_from_slice(entry.info.id.as_bytes());
    out.push(entry.info.purpose.code());
    out.extend_from_slice(&entry.info.created_ms.to_be_bytes());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(secret.as_slice());
    out.extend_from_slice(&tag);
    Ok(())
}

fn read_entry(
    reader: &mut Reader<'_>,
    log_id: &[u8; 16],
    wrap: &DataKey,
) -> Result<Entry, KeyringError> {
    let id = KeyId::from_bytes(reader.take()?);
    let [code] = reader.take()?;
    let purpose = Purpose::try_from(code)
        .map_err(|_| damaged("the purpose of a key is unknown; a newer tacho may have added it"))?;
    let created_ms = u64::from_be_bytes(reader.take()?);
    let nonce = reader.take()?;
    let mut wrapped = Zeroizing::new(reader.take::<WRAPPED_BYTES>()?);
    let info = KeyInfo { id, purpose, created_ms };
    let opened = wrap
        .open_in_place(nonce, &associated(log_id, &info), wrapped.as_mut_slice())
        .map_err(|_| damaged("a wrapped key does not authenticate"))?;
    let opened: &mut [u8; 32] =
        opened.try_into().map_err(|_| damaged("a wrapped key is not 32 bytes long"))?;
    Ok(Entry { info, secret: SecretKey::take(opened) })
}

/// What an entry's wrapped key is bound to, so that it cannot serve in another place.
fn associated(log_id: &[u8; 16], info: &KeyInfo) -> Vec<u8> {
    let created = info.created_ms.to_be_bytes();
    [ENTRY_LABEL, log_id, info.id.as_bytes(), &[info.purpose.code()], &created].concat()
}

fn wrap_key(kek: &Kek, log_id: &[u8; 16], generation: u64) -> DataKey {
    DataKey::new(&kek.derive(&[WRAP_LABEL, log_id, &generation.to_be_bytes()]))
}

fn mac_key(kek: &Kek, log_id: &[u8; 16]) -> HmacKey {
    HmacKey::new(kek.derive(&[MAC_LABEL, log_id]).expose())
}

fn damaged(reason: &'static str) -> KeyringError {
    KeyringError::Damaged { reason }
}

fn cut_off() -> KeyringError {
    damaged("it is cut off")
}

/// Fixed-size fields, one after the other.
struct Reader<'bytes>(&'bytes [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], KeyringError> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*field)
    }
}
