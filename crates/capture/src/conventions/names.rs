//! Span names, for instrumentations that say nothing else: the last thing to go by.

use super::Act;

/// The start of a name, followed by the end or a space, and what it says.
type Start = (&'static str, fn() -> Act);

const STARTS: &[Start] = &[
    ("invoke_agent", || Act::Invocation),
    ("create_agent", || Act::Invocation),
    ("invoke_workflow", || Act::Invocation),
    ("execute_tool", || Act::Tool),
    ("chat", || Act::Llm),
    ("generate_content", || Act::Llm),
    ("text_completion", || Act::Llm),
    ("embeddings", || Act::Retrieval),
    ("retrieval", || Act::Retrieval),
    ("plan", || Act::Reasoning),
    ("await_human_input", || Act::Human),
    ("record_usage", || Act::Usage),
    // CrewAI.
    ("execute crew", || Act::Invocation),
    ("execute task", || Act::Invocation),
    ("execute agent", || Act::Invocation),
    ("execute flow", || Act::Invocation),
    ("call method", || Act::Invocation),
    ("call tool", || Act::Tool),
    ("execute mcp tool", || Act::Tool),
    ("call llm", || Act::Llm),
    ("agent reasoning", || Act::Reasoning),
    ("evaluate guardrail", || Act::Guardrail),
    ("query memory", || Act::Retrieval),
    ("retrieve memory", || Act::Retrieval),
    ("save memory", || Act::Retrieval),
    ("query knowledge", || Act::Retrieval),
    ("search knowledge", || Act::Retrieval),
    ("a2a delegate", || Act::Handoff),
    ("a2a conversation", || Act::Invocation),
    ("a2a server task", || Act::Invocation),
    ("connect mcp", || Act::Other("mcp.connect".to_owned())),
    // Microsoft AutoGen's runtime: `autogen send <destination>`.
    ("autogen", || Act::Other("autogen.message".to_owned())),
];

pub(super) fn act(name: &str) -> Option<Act> {
    let named = |start: &str| {
        name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    STARTS.iter().find(|(start, _)| named(start)).map(|(_, act)| act())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_ends_at_a_word() {
        assert_eq!(act("chat gpt-4o"), Some(Act::Llm));
        assert_eq!(act("chat"), Some(Act::Llm));
        assert_eq!(act("chatter"), None);
        assert_eq!(act("GET /"), None);
    }
}
