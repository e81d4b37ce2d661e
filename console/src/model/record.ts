// What a record is for whoever looks at it: how it ended, what it did, and what is striking about it.
import type { EventRecord } from '../api/types';
import { oneLine } from './visible';

export type Tone = 'good' | 'plain' | 'warn' | 'bad' | 'denied' | 'muted';

/** As reports count them: what ended in an error or too late. */
export function isError(record: EventRecord): boolean {
  const { outcome } = record;
  if (outcome === 'failure' || outcome === 'timeout') return true;
  if (outcome === 'denied' || outcome === 'escalated' || outcome === 'cancelled') return false;
  return record.event_type === 'agent.error' || Boolean(record.error_type) || record.content?.['error'] !== undefined;
}

export function tone(record: EventRecord): Tone {
  if (record.state === 'erased' || record.state === 'expired') return 'muted';
  if (record.unreadable === true || isError(record)) return 'bad';
  if (record.outcome === 'denied' || record.event_type === 'log.denied' || record.event_type === 'log.login_refused')
    return 'denied';
  if (
    record.outcome === 'escalated' ||
    record.outcome === 'cancelled' ||
    record.event_type === 'log.gap' ||
    record.event_type === 'producer.gap'
  )
    return 'warn';
  return record.outcome === 'success' ? 'good' : 'plain';
}

/** How it ended, in a word. */
export function ending(record: EventRecord): string {
  if (record.unreadable === true) return 'unreadable';
  if (record.state === 'erased' || record.state === 'expired') return record.state;
  if (record.outcome) return record.outcome;
  if (isError(record)) return 'error';
  return record.phase === 'intent' ? 'intent' : '';
}

/** The tool that an act is about. */
export function toolOf(record: EventRecord): string | undefined {
  if (record.tool) return record.tool;
  const isCall = record.event_type === 'agent.tool_call' || record.event_type === 'agent.tool_result';
  return isCall ? record.action?.split(':')[1] : undefined;
}

/** What happened, on one line. */
export function summary(record: EventRecord): string {
  if (record.state === 'erased') return 'This record was erased';
  if (record.state === 'expired') return 'This record has expired';
  const { content = {} } = record;
  const said = ['message', 'error', 'reasoning', 'output', 'result', 'input', 'params'].map((name) => content[name]);
  const first = said.find((value) => value !== undefined && value !== null && value !== '');
  const text = first === undefined ? '' : short(first);
  const action =
    record.action && record.action !== (record.event_type ?? '').replace(/^agent\./, '') ? record.action : '';
  const tool = toolOf(record);
  const head = action !== '' ? action : (tool ?? '');
  return oneLine([head, text].filter((it) => it !== '').join(' · '));
}

function short(value: unknown): string {
  if (typeof value === 'string') return value.slice(0, 240);
  if (typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string')
    return value.content.slice(0, 240);
  if (typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string')
    return value.message.slice(0, 240);
  return JSON.stringify(value).slice(0, 240);
}

export const agentOf = (record: EventRecord): string =>
  record.agent_name ?? record.agent_id ?? (record.kind === 'log' ? 'the log' : '');

/** By what the API finds it: its id, else its index. */
export const handle = (record: EventRecord): string => record.event_id ?? String(record.index);

/** Tokens that it says were used. */
export const tokensOf = ({ tokens }: EventRecord): number =>
  tokens ? (tokens.total ?? (tokens.input ?? 0) + (tokens.output ?? 0)) : 0;

/** When it happened, by its producer; else when the log took it. */
export const happened = (record: EventRecord): string =>
  typeof record.timestamp === 'string' ? record.timestamp : record.recorded_at;

/** What was redacted in it, without the line that only names the policy. */
export const redacted = (record: EventRecord): NonNullable<EventRecord['redactions']> =>
  (record.redactions ?? []).filter((it) => it.rule !== 'policy');
