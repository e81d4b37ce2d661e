//! `tacho replay`, and graphs of a trace.

use crate::read::{REFUND, recorded};

#[test]
fn every_decision_is_printed_where_nobody_watches() {
    let home = recorded();
    let text = home.fine(&["replay", REFUND]);
    assert!(text.starts_with("Decision 1 of 3: Support\n"), "{text}");
    for part in
        ["Decision 3 of 3", "confidence  0.93", "input ", "reasoning ", "context ", "As of "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains('\x1b'));
    let every = home.fine(&["replay", "task-refund-order-1042", "--every"]);
    assert!(every.contains("Event 11 of 11"), "{every}");
    let ran = home.run(&["replay", "nothing"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no event of the"), "{}", ran.err);
}

#[test]
fn a_trace_is_a_graph_in_three_formats() {
    let home = recorded();
    let graph = |format| home.fine(&["trace", REFUND, "--format", format]);
    let json = graph("json");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let (nodes, edges) =
        (json["nodes"].as_array().unwrap().len(), json["edges"].as_array().unwrap().len());
    let dot = graph("dot");
    assert!(dot.starts_with("digraph trace {") && dot.ends_with("}\n"));
    assert_eq!(dot.matches(" -> ").count(), edges);
    let mermaid = graph("mermaid");
    assert!(mermaid.starts_with("flowchart TD\n"));
    assert_eq!(mermaid.matches("-->").count() + mermaid.matches("-.->").count(), edges);
    let svg = graph("svg");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(svg.matches("<circle ").count(), nodes);
    assert_eq!(svg.matches("<path ").count(), edges);
}
