//! How long to wait before the same is sent again.

use crate::trouble::Trouble;
use keys::{Entropy as _, SystemEntropy};
use std::time::Duration;

/// The first pause; each is twice the one before.
const PAUSE_FIRST: Duration = Duration::from_millis(250);
/// However long the server wants to be left alone.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Pauses that grow.
#[derive(Debug)]
pub struct Pace {
    pause: Duration,
    longest: Duration,
}

impl Pace {
    /// None is longer than `longest`, unless the server wants it.
    #[must_use]
    pub fn new(longest: Duration) -> Self {
        Self { pause: PAUSE_FIRST.min(longest), longest }
    }

    /// The next pause after this trouble.
    pub fn next(&mut self, trouble: &Trouble) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.longest);
        trouble.retry_after().unwrap_or(pause).min(RETRY_AFTER_MAX)
    }

    /// A little more, so that many who wait do not come at once.
    #[must_use]
    pub fn spread(wait: Duration) -> Duration {
        let mut byte = [0; 1];
        let drawn = SystemEntropy::new().fill(&mut byte).map(|()| u32::from(byte[0])).unwrap_or(0);
        wait + wait / 1024 * drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_the_server_may_ask_for_more() {
        let mut pace = Pace::new(Duration::from_secs(1));
        let lost = Trouble::Lost(String::new());
        let waits: Vec<u128> = (0..4).map(|_| pace.next(&lost).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 1000]);
        let busy = Trouble::answered(503, true, Some("7"), b"");
        assert_eq!(pace.next(&busy).as_secs(), 7);
        let never = Trouble::answered(503, true, Some("99999"), b"");
        assert_eq!(pace.next(&never), RETRY_AFTER_MAX);
        let wait = Duration::from_secs(4);
        assert!((wait..wait * 5 / 4).contains(&Pace::spread(wait)));
    }
}
