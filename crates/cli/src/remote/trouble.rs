//! What went wrong with a server, for a person: a sentence, and an exit code.
//!
//! Not here: what can go wrong, and whether asking again may help (`link`).

use crate::exit::Exit;
use crate::failure::Failure;
use link::Trouble;

/// Who asked: what an error names.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The server's address.
    pub(crate) address: &'a str,
    /// Where the token came from; `None` when there was none.
    pub(crate) token: Option<&'a str>,
}

/// One sentence: what, why, what to do.
pub(crate) fn failure(trouble: &Trouble, asked: Asked<'_>) -> Failure {
    let address = asked.address;
    match trouble {
        Trouble::Unreachable(what) => Failure::new(format!(
            "nobody answers at {address}: {what}; check the address, and that the server runs \
             (`tacho serve`)"
        )),
        Trouble::Lost(what) => {
            Failure::new(format!("the connection to {address} broke: {what}; run it again"))
        }
        Trouble::Certificate(what) => Failure::new(format!(
            "the certificate of {address} is not trusted: {what}; name the file of the \
             authority that issued it with --ca-file, or the name that it is for with --url"
        )),
        Trouble::Foreign(what) => Failure::new(format!(
            "what answers at {address} is no server of this version: {what}; check the address, \
             and compare `tacho --version` on both sides"
        )),
        Trouble::Answered { status, code, detail, .. } => refusal(*status, code, detail, asked),
    }
}

fn refusal(status: u16, code: &str, detail: &str, asked: Asked<'_>) -> Failure {
    let address = asked.address;
    let because = if detail.is_empty() { String::new() } else { format!(": {detail}") };
    let sentence = match (status, asked.token) {
        (401, None) => format!(
            "{address} wants a token and there is none; name its file with --token-file, or put it \
             into TACHO_TOKEN (`tacho token create` makes one)"
        ),
        (401, Some(place)) => format!(
            "{address} does not accept the token from {place}{because}; `tacho token create` makes \
             another one"
        ),
        (403, None) => format!(
            "{address} does not allow this without a token{because}; name its file with --token-file"
        ),
        (403, Some(place)) => format!(
            "{address} does not allow this with the token from {place}{because}; ask for a role \
             that may (docs/access.md)"
        ),
        (400, _) if code == "unknown_parameter" => format!(
            "{address} does not know what it was asked{because}; it is older than this program: \
             compare `tacho --version` on both sides"
        ),
        (400, _) if matches!(code, "bad_parameter" | "bad_cursor" | "bad_question") => {
            detail.to_owned()
        }
        (404 | 405, _) if code.is_empty() => format!(
            "{address} has no such page, so it is no server of this version; check the address, and \
             compare `tacho --version` on both sides"
        ),
        _ if detail.is_empty() => {
            format!("{address} answered with status {status}; its own log may say why")
        }
        _ => format!("{address} answered: {detail} ({status})"),
    };
    let exit = match (status, code) {
        (401 | 403, _) => Exit::Refused,
        (400, "bad_parameter" | "bad_cursor" | "bad_question") => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::Sentence { exit, sentence }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked { address: "https://x", token: Some("TACHO_TOKEN") };

    #[test]
    fn who_may_not_is_told_so_by_the_exit_code() {
        for (status, exit) in [(401, Exit::Refused), (403, Exit::Refused), (404, Exit::Failed)] {
            let trouble = Trouble::answered(status, true, None, br#"{"code":"c","detail":"d"}"#);
            let Failure::Sentence { exit: told, sentence } = failure(&trouble, ASKED) else {
                panic!("{status}")
            };
            assert_eq!(told, exit);
            assert!(sentence.contains("https://x"), "{sentence}");
        }
    }
}
