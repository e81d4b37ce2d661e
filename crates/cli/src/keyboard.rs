//! Single key presses, while the terminal neither waits for a line nor shows what is typed.
//!
//! The terminal is as it was when this value is dropped.

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr,
};
use std::io::{self, IsTerminal as _, Read as _, Write as _};

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Next,
    Previous,
    First,
    Last,
    Quit,
    /// A digit.
    Digit(u8),
    /// The end of a number, or the next one.
    Enter,
    /// Anything else.
    Other,
}

/// A keyboard whose keys arrive one at a time, and a screen of its own.
pub(crate) struct Keyboard {
    before: Termios,
}

impl Keyboard {
    /// Takes the terminal over; `None` where nobody sits in front of one.
    pub(crate) fn open() -> Option<Self> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let is_dumb = crate::environment::text("TERM").is_none_or(|term| term == "dumb");
        if !isatty(&stdin) || !stdout.is_terminal() || is_dumb {
            return None;
        }
        let before = tcgetattr(&stdin).ok()?;
        let mut now = before.clone();
        // Ctrl-C arrives as a key, so that the terminal is put right before the program ends.
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG);
        now.special_codes[SpecialCodeIndex::VMIN] = 1;
        now.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&stdin, OptionalActions::Now, &now).ok()?;
        let _ = stdout.lock().write_all(b"\x1b[?1049h");
        Some(Self { before })
    }

    /// The next key; `Quit` when there will be none.
    pub(crate) fn key(&self) -> Key {
        let mut bytes = [0; 16];
        match io::stdin().lock().read(&mut bytes) {
            Ok(0) | Err(_) => Key::Quit,
            Ok(count) => meaning(bytes.get(..count).unwrap_or_default()),
        }
    }

    /// Puts a text in place of what the screen shows.
    pub(crate) fn show(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        write!(out, "\x1b[2J\x1b[H{text}")?;
        out.flush()
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(b"\x1b[?1049l").and_then(|()| out.flush());
        // There is nobody to tell that it cannot be put back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// What the bytes of one key press mean.
fn meaning(bytes: &[u8]) -> Key {
    match bytes {
        b"n" | b" " | b"j" | b"\x1b[C" | b"\x1b[B" | b"\x1b[6~" => Key::Next,
        b"p" | b"k" | b"b" | b"\x7f" | b"\x1b[D" | b"\x1b[A" | b"\x1b[5~" => Key::Previous,
        b"g" | b"\x1b[H" | b"\x1b[1~" => Key::First,
        b"G" | b"\x1b[F" | b"\x1b[4~" => Key::Last,
        b"q" | b"Q" | b"\x1b" | b"\x03" | b"\x04" => Key::Quit,
        b"\r" | b"\n" => Key::Enter,
        [digit @ b'0'..=b'9'] => Key::Digit(digit - b'0'),
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        assert_eq!([b"n", b" "].map(|key| meaning(key)), [Key::Next; 2]);
        assert_eq!(meaning(b"\x1b[A"), Key::Previous);
        assert_eq!(meaning(b"7"), Key::Digit(7));
        assert_eq!(meaning(b"\x03"), Key::Quit);
        assert_eq!(meaning(b"\x1b[200~"), Key::Other);
    }
}
