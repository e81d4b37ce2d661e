//! OpenTelemetry's GenAI semantic conventions in their three generations: up to 1.27
//! (`gen_ai.system`, `prompt_tokens`), 1.28 to 1.36 (`input_tokens`, message events), and since
//! 1.37 (`gen_ai.provider.name`, `gen_ai.input.messages`); with the spellings of token counts that
//! frameworks made of them.

use super::{Act, Facts};
use crate::attributes::Attributes;
use event::Cost;

pub(super) fn act(attributes: &Attributes) -> Option<Act> {
    Some(match attributes.peek_text("gen_ai.operation.name")? {
        "chat" | "generate_content" | "text_completion" => Act::Llm,
        "execute_tool" => Act::Tool,
        "create_agent" | "invoke_agent" | "invoke_workflow" | "execute_task" | "execute_method" => {
            Act::Invocation
        }
        "embeddings"
        | "retrieval"
        | "search_memory"
        | "create_memory"
        | "update_memory"
        | "upsert_memory"
        | "delete_memory"
        | "create_memory_store"
        | "delete_memory_store" => Act::Retrieval,
        "plan" => Act::Reasoning,
        "await_human_input" => Act::Human,
        _ => return None,
    })
}

pub(super) fn read(attributes: &mut Attributes, facts: &mut Facts) {
    let event = &mut facts.event;
    attributes.fill_text(&mut facts.operation, "gen_ai.operation.name");
    attributes.fill_text(&mut event.agent_name, "gen_ai.agent.name");
    attributes.fill_text(&mut event.agent_id, "gen_ai.agent.id");
    attributes.fill_text(&mut event.agent_version, "gen_ai.agent.version");
    attributes.fill_text(&mut event.session_id, "gen_ai.conversation.id");
    attributes.fill_text(&mut event.session_id, "session.id");
    attributes.fill_text(&mut event.task_id, "gen_ai.task.id");
    attributes.fill_text(&mut event.task_id, "gen_ai.workflow.name");
    attributes.fill_text(&mut event.tool, "gen_ai.tool.name");
    attributes.fill_text(&mut event.error_type, "error.type");
    attributes.fill_text(&mut event.on_behalf_of, "enduser.id");
    attributes.fill_text(&mut event.on_behalf_of, "user.id");
    attributes.fill_text(&mut facts.model.provider, "gen_ai.provider.name");
    attributes.fill_text(&mut facts.model.provider, "gen_ai.system");
    attributes.fill_text(&mut facts.model.requested, "gen_ai.request.model");
    attributes.fill_text(&mut facts.model.responded, "gen_ai.response.model");
    if event.cost.is_none() && attributes.peek("gen_ai.usage.cost").is_some_and(|c| c.is_number()) {
        event.cost = attributes
            .take_text("gen_ai.usage.cost")
            .map(|amount| Cost { amount: amount.into(), currency: None });
    }
    read_tokens(attributes, facts);
    read_content(attributes, facts);
}

fn read_tokens(attributes: &mut Attributes, facts: &mut Facts) {
    let tokens = &mut facts.tokens;
    for key in ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"] {
        attributes.fill_count(&mut tokens.input, key);
    }
    for key in ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"] {
        attributes.fill_count(&mut tokens.output, key);
    }
    for key in ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"] {
        attributes.fill_count(&mut tokens.cache_read, key);
    }
    for key in
        ["gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"]
    {
        attributes.fill_count(&mut tokens.cache_write, key);
    }
    for key in [
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.thinking_tokens",
        "gen_ai.usage.reasoning_tokens",
    ] {
        attributes.fill_count(&mut tokens.reasoning, key);
    }
    attributes.fill_count(&mut tokens.total, "gen_ai.usage.total_tokens");
}

fn read_content(attributes: &mut Attributes, facts: &mut Facts) {
    attributes.fill_json(&mut facts.params, "gen_ai.tool.call.arguments");
    attributes.fill_json(&mut facts.result, "gen_ai.tool.call.result");
    attributes.fill_json(&mut facts.input, "gen_ai.input.messages");
    attributes.fill_json(&mut facts.output, "gen_ai.output.messages");
    attributes.fill_json(&mut facts.input, "gen_ai.prompt");
    attributes.fill_json(&mut facts.output, "gen_ai.completion");
    attributes.fill_json(&mut facts.input, "gen_ai.retrieval.query.text");
    attributes.fill_json(&mut facts.context, "gen_ai.retrieval.documents");
    attributes.fill_json(&mut facts.context, "gen_ai.system_instructions");
    attributes.fill_text(&mut facts.event.error_type, "exception.type");
    attributes.fill_text(&mut facts.error_message, "exception.message");
    attributes.fill_text(&mut facts.error_stack, "exception.stacktrace");
}
