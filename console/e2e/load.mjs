// Made-up runs of agents for the tests, from a seed: the same ones each time, but for when.
export function events(now, runs) {
  let seed = 8;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed / 2_147_483_648;
  };
  const pick = (list) => list[Math.floor(random() * list.length)];
  const agents = ['Planner', 'Researcher', 'Billing', 'Support', 'Coder'];
  const tools = ['search', 'get_order', 'refund', 'read_file', 'send_mail'];
  const lines = [];
  for (let run = 0; run < runs; run += 1) {
    let at = now - Math.floor(random() * 20 * 3_600_000) - 600_000;
    const base = { trace_id: `run-${run}`, session_id: `session-${Math.floor(run / 3)}`, task_id: `task-${run}` };
    let parent;
    for (let step = 0; step < 6 + Math.floor(random() * 24); step += 1) {
      at += 20 + Math.floor(random() * 1_500);
      const event = {
        ...base,
        event_id: `run-${run}-${step}`,
        timestamp: new Date(at).toISOString(),
        agent_name: pick(agents),
        duration_ms: Math.floor(5 + random() * 2_000),
        parent_event_id: parent,
      };
      const kind = random();
      if (step === 0)
        Object.assign(event, {
          event_type: 'agent.invocation',
          outcome: 'success',
          input: `Please handle request ${run}`,
        });
      else if (kind < 0.5) {
        const ends = random();
        const outcome = ends < 0.88 ? 'success' : ends < 0.93 ? 'failure' : ends < 0.97 ? 'timeout' : 'denied';
        Object.assign(event, {
          event_type: 'agent.tool_call',
          tool: pick(tools),
          params: { id: step },
          outcome,
          ...(outcome === 'failure' || outcome === 'timeout' ? { error_type: 'UpstreamError' } : {}),
        });
        if (random() < 0.05) Object.assign(event, { phase: 'intent', outcome: undefined, error_type: undefined });
      } else if (kind < 0.8) {
        const tokens = { input: 200 + Math.floor(random() * 3_000), output: 20 + Math.floor(random() * 500) };
        Object.assign(event, {
          event_type: 'agent.reasoning',
          outcome: 'success',
          reasoning: `Step ${step}`,
          tokens,
          model: { provider: 'example', requested: pick(['model-a', 'model-b']) },
          cost: { amount: 0.01, currency: 'USD' },
        });
      } else
        Object.assign(event, {
          event_type: 'agent.message',
          outcome: 'success',
          message: { role: 'assistant', content: `Message ${step}` },
        });
      if (step === 0 || random() < 0.5) parent = event.event_id;
      lines.push(event);
    }
  }
  return lines
    .sort((one, other) => (one.timestamp < other.timestamp ? -1 : 1))
    .map((event) => JSON.stringify(event))
    .join('\n');
}
