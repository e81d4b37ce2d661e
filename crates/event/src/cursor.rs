//! A place in JSON text on the fast road: plain keys, plain strings, plain numbers, objects of a
//! few keys. `None` from any of its methods leads to the slow road, serde_json, which also words
//! every refusal.

use crate::json::is_plain_scalar;
use crate::limits::NESTING_MAX;
use crate::plain;

/// Keys of a nested object on the fast road at most.
const NESTED_KEYS_MAX: usize = 16;

/// What is known of a value, so that nobody has to look at its bytes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A string that holds no escape.
    PlainText,
    /// Any other value that is sound (see [`plain_value`]), without white space outside strings.
    Compact,
    /// One that is sound, with white space outside strings.
    Spaced,
    /// Its grammar was checked and nothing else.
    Unknown,
}

/// A value as it was written, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    pub(crate) text: &'a str,
    pub(crate) shape: Shape,
}

impl<'a> Value<'a> {
    /// A value of which only the grammar is known.
    pub(crate) fn unknown(text: &'a str) -> Self {
        Self { text, shape: Shape::Unknown }
    }
}

pub(crate) struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// White space was passed over.
    blanks: bool,
}

/// Whether a value is compact, when all of `text` is one value in which nothing is unusual: valid,
/// no key twice, nested no deeper than an event may be when the value stands at `level` of it.
pub(crate) fn plain_value(text: &str, level: usize) -> Option<bool> {
    let mut cursor = Cursor::new(text);
    cursor.value_at(level)?;
    cursor.is_at_end().then_some(!cursor.blanks)
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, blanks: false }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
            self.blanks = true;
        }
    }

    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        (self.bytes.get(self.at) == Some(&byte)).then(|| self.at += 1)
    }

    /// A plain string, without its quotes, and the colon after it.
    pub(crate) fn key(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        self.take(b'"')?;
        let start = self.at;
        let end = plain::end(self.bytes, start)?;
        self.at = end + 1;
        self.skip_blanks();
        self.take(b':')?;
        self.text.get(start..end)
    }

    /// The value here, which stands at `level` of its event.
    pub(crate) fn value(&mut self, level: usize) -> Option<Value<'a>> {
        let (start, blanks) = (self.at, std::mem::take(&mut self.blanks));
        let is_text = self.bytes.get(start) == Some(&b'"');
        self.value_at(level)?;
        let shape = match (is_text, self.blanks) {
            (true, _) => Shape::PlainText,
            (false, false) => Shape::Compact,
            (false, true) => Shape::Spaced,
        };
        self.blanks |= blanks;
        Some(Value { text: self.text.get(start..self.at)?, shape })
    }

    /// The bytes from here on.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The text from here on, for whoever takes the slow road from here.
    pub(crate) fn rest(&self) -> Option<&'a str> {
        self.text.get(self.at..)
    }

    pub(crate) fn place(&self) -> usize {
        self.at
    }

    pub(crate) fn set_place(&mut self, at: usize) {
        self.at = at;
    }

    fn value_at(&mut self, level: usize) -> Option<()> {
        match self.bytes.get(self.at)? {
            b'"' => self.at = plain::end(self.bytes, self.at + 1)? + 1,
            b'{' if level <= NESTING_MAX => self.object(level)?,
            b'[' if level <= NESTING_MAX => self.array(level)?,
            b'{' | b'[' => return None,
            _ => self.scalar()?,
        }
        Some(())
    }

    fn scalar(&mut self) -> Option<()> {
        let start = self.at;
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r');
        let rest = self.bytes.get(start..)?;
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
        is_plain_scalar(self.text.get(start..self.at)?).then_some(())
    }

    fn object(&mut self, level: usize) -> Option<()> {
        let mut keys = [""; NESTED_KEYS_MAX];
        let mut count = 0;
        self.take(b'{')?;
        self.skip_blanks();
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let key = self.key()?;
            if keys.get(..count)?.contains(&key) {
                return None;
            }
            *keys.get_mut(count)? = key;
            count += 1;
            self.skip_blanks();
            self.value_at(level + 1)?;
            self.skip_blanks();
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
        }
    }

    fn array(&mut self, level: usize) -> Option<()> {
        self.take(b'[')?;
        self.skip_blanks();
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            self.skip_blanks();
            self.value_at(level + 1)?;
            self.skip_blanks();
            if self.take(b',').is_none() {
                return self.take(b']');
            }
        }
    }
}
