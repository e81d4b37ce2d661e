// A trace step by step, with what was known at each, as `tacho replay` takes it: an agent knew what it did
// itself before, and what led to the step, whoever did that. What else it may have known, the log does not
// say. Beside it, how far the whole trace was by then.
import type { EventRecord, Trace } from '../api/types';
import { agentOf, happened, isError, tokensOf } from './record';
import { openIntents } from './waterfall';

/** Earlier events that are looked at for one step: of very long traces the nearest. */
const KNOWN_MAX = 200;

export interface Told {
  record: EventRecord;
  label: string;
  value: unknown;
}

/** How far a trace was when a step was taken, that step included. */
export interface Progress {
  events: number;
  errors: number;
  tokens: number;
  /** Announced by then, and not concluded by then. */
  open: EventRecord[];
  /** The last thing that each agent had done. */
  agents: { name: string; record: EventRecord }[];
}

export interface ReplayStep {
  record: EventRecord;
  /** What the agent was asked last. */
  input: Told | undefined;
  /** What was retrieved, returned by tools or handed over. */
  context: Told[];
  /** What the agent thought, before and at this step. */
  reasoning: Told[];
  /** What else it knew. */
  known: EventRecord[];
  /** What the step says of itself. */
  own: Told[];
}

export class Replay {
  /** Positions in the order of the trace. */
  readonly steps: number[];
  readonly isOfDecisions: boolean;
  readonly #records: EventRecord[];
  readonly #led: number[][];

  constructor(trace: Trace, every: boolean) {
    const byIndex = new Map(trace.events.map((record) => [record.index, record]));
    const nodes = trace.nodes.filter((node) => byIndex.has(node.index));
    this.#records = nodes.flatMap((node) => byIndex.get(node.index) ?? []);
    const place = new Map(nodes.map((node, at) => [node.id, at]));
    this.#led = nodes.map(() => []);
    for (const edge of trace.edges) {
      const [from, to] = [place.get(edge.from), place.get(edge.to)];
      if (from !== undefined && to !== undefined && from < to) this.#led[to]?.push(from);
    }
    const all = this.#records.map((_, at) => at);
    const decisions = all.filter((at) => this.#records[at]?.event_type === 'agent.decision');
    this.isOfDecisions = !every && decisions.length > 0;
    this.steps = this.isOfDecisions ? decisions : all;
  }

  step(number: number): ReplayStep | undefined {
    const at = this.steps[number];
    const record = at === undefined ? undefined : this.#records[at];
    if (at === undefined || !record) return undefined;
    const step: ReplayStep = { record, input: undefined, context: [], reasoning: [], known: [], own: [] };
    for (const before of this.#knownBefore(at)) learn(step, before, agentOf(before) === agentOf(record));
    conclude(step);
    return step;
  }

  /** How far the trace was. */
  progress(number: number): Progress {
    const before = this.#records.slice(0, (this.steps[number] ?? -1) + 1);
    const open = openIntents(before);
    const agents = new Map<string, EventRecord>();
    for (const record of before) if (agentOf(record) !== '') agents.set(agentOf(record), record);
    return {
      events: before.length,
      errors: before.filter(isError).length,
      tokens: before.reduce((sum, record) => sum + tokensOf(record), 0),
      open: before.filter((record) => open.has(record.index)),
      agents: [...agents].map(([name, record]) => ({ name, record })),
    };
  }

  #knownBefore(at: number): EventRecord[] {
    const own = agentOf(this.#records[at] as EventRecord);
    const known = new Set<number>();
    for (let before = at - 1; before >= 0 && known.size < KNOWN_MAX; before -= 1) {
      const record = this.#records[before];
      if (record && own !== '' && agentOf(record) === own) known.add(before);
    }
    // Up the links, whoever acted there: what it did itself is in the way of nothing.
    const led = new Set<number>();
    const waiting = [at];
    for (let next = waiting.pop(); next !== undefined && led.size < KNOWN_MAX; next = waiting.pop()) {
      for (const from of this.#led[next] ?? []) {
        if (led.has(from)) continue;
        led.add(from);
        waiting.push(from);
      }
    }
    return [...new Set([...known, ...led])].sort((one, other) => one - other).flatMap((it) => this.#records[it] ?? []);
  }
}

const ASKED = new Set(['agent.invocation', 'agent.handoff']);
const RETRIEVED = new Set(['agent.retrieval', 'agent.tool_result']);
const has = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** Takes up what an earlier event told the agent; what others thought, nobody tells it. */
function learn(step: ReplayStep, record: EventRecord, isOwn: boolean): void {
  const content = record.content ?? {};
  const type = record.event_type ?? '';
  const told = (label: string, value: unknown): Told => ({ record, label, value });
  const input = content['input'] ?? (ASKED.has(type) ? content['params'] : undefined);
  const context = [content['context'], RETRIEVED.has(type) ? (content['result'] ?? content['output']) : undefined];
  let isTold = false;
  if (has(input)) {
    step.input = told('asked', input);
    isTold = true;
  }
  for (const value of context.filter(has)) {
    step.context.push(told(type === 'agent.tool_result' ? 'a tool answered' : 'context', value));
    isTold = true;
  }
  if (isOwn && has(content['reasoning'])) {
    step.reasoning.push(told('thought', content['reasoning']));
    isTold ||= type === 'agent.reasoning';
  }
  if (!isTold) step.known.push(record);
}

/** Takes up what the step says of itself. */
function conclude(step: ReplayStep): void {
  const { record } = step;
  const content = record.content ?? {};
  const told = (label: string, value: unknown): Told => ({ record, label, value });
  if (has(content['input'])) step.input = told('asked', content['input']);
  if (has(content['context'])) step.context.push(told('context', content['context']));
  if (has(content['reasoning'])) step.reasoning.push(told('thought', content['reasoning']));
  for (const label of ['params', 'message', 'result', 'output', 'error'])
    if (has(content[label])) step.own.push(told(label, content[label]));
}

/** When a step was taken, in milliseconds since the first. */
export const sinceBegin = (first: EventRecord, record: EventRecord): number =>
  Date.parse(happened(record)) - Date.parse(happened(first));
