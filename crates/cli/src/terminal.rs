//! Everything that is printed goes through here: answers to standard output, the rest to standard
//! error.
//!
//! Colour and progress only where a person looks; `NO_COLOR` and `TERM=dumb` are honoured
//! (`anstream`).

use crate::exit::Exit;
use crate::failure::Failure;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use query::render::View;
use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write};
use std::time::{Duration, Instant};

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something to look at.
pub(crate) const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
/// Less important.
pub(crate) const DIM: Style = Style::new().dimmed();
/// More important.
pub(crate) const STRONG: Style = Style::new().bold();

/// Columns of what is not a terminal, or does not know its width.
const WIDTH_FALLBACK: usize = 100;

/// What takes less than this shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// Standard output and standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    quiet: bool,
}

impl Terminal {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// Standard output for people: colours are taken out when nobody would see them.
    pub(crate) fn people(self) -> anstream::AutoStream<StdoutLock<'static>> {
        anstream::AutoStream::auto(io::stdout().lock())
    }

    /// Standard output for programs, byte by byte as given.
    pub(crate) fn programs(self) -> BufWriter<StdoutLock<'static>> {
        BufWriter::with_capacity(1 << 16, io::stdout().lock())
    }

    /// Standard output for bytes that another thread may write.
    pub(crate) fn bytes(self) -> BufWriter<io::Stdout> {
        BufWriter::with_capacity(1 << 16, io::stdout())
    }

    /// Whether a person looks at standard output.
    pub(crate) fn is_watched(self) -> bool {
        io::stdout().is_terminal()
    }

    /// How wide standard output is, and whether it has colours: as drawings for people need it.
    pub(crate) fn view(self) -> View {
        let width = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| size.ws_col);
        let style = match anstream::AutoStream::choice(&io::stdout()) {
            anstream::ColorChoice::Never => query::render::Style::Plain,
            _ => query::render::Style::Ansi,
        };
        View { width: if width == 0 { WIDTH_FALLBACK } else { width.into() }, style }
    }

    /// Something worth knowing beside the answer, unless `--quiet`.
    pub(crate) fn note(self, text: impl Display) {
        if !self.quiet {
            // Without a standard error there is nobody to tell.
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        }
    }

    /// Prints why a command ended early, and returns its exit code.
    pub(crate) fn failure(self, failure: &Failure) -> Exit {
        match failure {
            Failure::NobodyReads => Exit::Fine,
            Failure::Sentence { exit, sentence } => {
                let _ = writeln!(anstream::stderr().lock(), "{}: {sentence}", styled(BAD, "error"));
                *exit
            }
        }
    }

    /// A progress bar, drawn on a terminal only, and only for what takes longer than a second.
    pub(crate) fn progress(self, unit: &str) -> Progress {
        let shown = !self.quiet && io::stderr().is_terminal();
        let template = format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{per_sec}}");
        let style = ProgressStyle::with_template(&template)
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Progress { bar: None, style, shown, begun: Instant::now() }
    }
}

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Untrusted text (what a producer sent, a file name) without anything that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if query::escape::is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// A progress bar that appears when it is needed.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    style: ProgressStyle,
    shown: bool,
    begun: Instant,
}

impl Progress {
    /// How far it is.
    pub(crate) fn at(&mut self, done: u64, total: u64) {
        if !self.shown || self.begun.elapsed() < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            bar.set_style(self.style.clone());
            bar.with_elapsed(self.begun.elapsed())
        });
        bar.set_length(total);
        bar.set_position(done);
    }

    /// Writes something while the bar is out of the way.
    pub(crate) fn beside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints help, the version, or what is wrong with the command line, which may repeat `words` that
/// somebody else chose.
pub(crate) fn print_usage(error: &clap::Error, words: &[OsString]) -> Exit {
    let words = words.iter().map(|word| word.to_string_lossy());
    let odd: Vec<_> = words.filter(|word| word.chars().any(query::escape::is_hidden)).collect();
    if odd.is_empty() {
        let _ = error.print();
    } else {
        let _ = write!(anstream::stderr(), "{}", visible(error.render().to_string(), &odd));
    }
    if error.use_stderr() { Exit::Usage } else { Exit::Fine }
}

/// An error with everything that these words would hide or a terminal obey made visible; its own
/// line ends stay.
fn visible(mut error: String, odd: &[Cow<'_, str>]) -> String {
    for line in odd.iter().flat_map(|word| word.split('\n').skip(1)) {
        // Of `--option=value` only one side may be repeated.
        for part in [line, line.split('=').next().unwrap_or_default()] {
            if !part.is_empty() {
                error = error.replace(&format!("\n{part}"), &format!("\\n{part}"));
            }
        }
    }
    error.lines().map(|line| query::escape::escape(line) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_a_word_forges_stays_on_the_line_of_the_word() {
        let odd = [Cow::Borrowed("-n5\nerror: x"), "--y\nerror: z=1".into(), "\u{9b}2J".into()];
        let error = "error: invalid value '5\nerror: x'\n\nno '--y\nerror: z', '\u{9b}2J'\n";
        let told = visible(error.to_owned(), &odd);
        assert_eq!(
            told,
            "error: invalid value '5\\nerror: x'\n\nno '--y\\nerror: z', '\\u{9b}2J'\n"
        );
    }
}
