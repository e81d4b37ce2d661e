// The rows of a trace: each record where it belongs, when it began and how long it took.
import type { EventRecord, Trace } from '../api/types';

export interface Row {
  record: EventRecord;
  depth: number;
  /** Milliseconds since the trace began. */
  start: number;
  duration: number;
  /** An act that was announced, and of which no end is known. */
  isOpen: boolean;
  /** It stands elsewhere than its time says. */
  isReordered: boolean;
}

export interface Waterfall {
  rows: Row[];
  /** Milliseconds from the beginning to the end. */
  span: number;
}

export function waterfall(trace: Trace): Waterfall {
  const records = new Map(trace.events.map((record) => [record.index, record]));
  const open = openIntents(trace.events);
  const rows = trace.nodes.flatMap((node): Row[] => {
    const record = records.get(node.index);
    if (!record) return [];
    const duration = typeof record.duration_ms === 'number' ? record.duration_ms : 0;
    const isOpen = open.has(record.index);
    return [{ record, depth: node.depth, start: node.offset_ms, duration, isOpen, isReordered: node.reordered }];
  });
  const span = rows.reduce((most, row) => Math.max(most, row.start + row.duration), 0);
  return { rows, span: Math.max(span, 1) };
}

/** The indexes of intents of which no result is in the trace. */
export function openIntents(events: readonly EventRecord[]): Set<number> {
  const answered = new Set<string>();
  const calls = new Set<string>();
  for (const record of events) {
    if (record.phase !== 'result' && record.event_type !== 'agent.tool_result') continue;
    if (record.parent_event_id) answered.add(record.parent_event_id);
    record.caused_by?.forEach((id) => answered.add(id));
    const call = callOf(record);
    if (call) calls.add(call);
  }
  const open = new Set<number>();
  for (const record of events) {
    if (record.phase !== 'intent') continue;
    const call = callOf(record);
    const isAnswered = (record.event_id && answered.has(record.event_id)) || (call && calls.has(call));
    if (!isAnswered) open.add(record.index);
  }
  return open;
}

function callOf(record: EventRecord): string | undefined {
  const call = record.attributes?.['call_id'];
  return typeof call === 'string' ? call : undefined;
}

/** Ticks of a scale: round numbers, about `wanted` of them. */
export function ticks(span: number, wanted = 5): number[] {
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((it) => it >= rough) ?? rough;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, at) => at * step);
}
