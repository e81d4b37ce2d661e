// Who called whom in a trace: agents and tools as boxes in columns, what went between them as lines.
import type { EventRecord, Trace } from '../api/types';
import { agentOf, isError, toolOf } from './record';

export interface Box {
  id: string;
  kind: 'agent' | 'tool';
  name: string;
  events: number;
  errors: number;
  denied: number;
  column: number;
  row: number;
}

export interface Line {
  from: string;
  to: string;
  count: number;
  errors: number;
}

export interface Graph {
  boxes: Box[];
  lines: Line[];
  columns: number;
  rows: number;
}

export function graphOf(trace: Trace): Graph {
  const boxes = new Map<string, Box>();
  const lines = new Map<string, Line>();
  const owners = new Map<string, string>();
  const box = (kind: Box['kind'], name: string): Box => {
    const id = `${kind}:${name}`;
    const known = boxes.get(id) ?? { id, kind, name, events: 0, errors: 0, denied: 0, column: 0, row: 0 };
    boxes.set(id, known);
    return known;
  };
  const line = (from: Box, to: Box, record: EventRecord): void => {
    if (from.id === to.id) return;
    const id = `${from.id}\n${to.id}`;
    const known = lines.get(id) ?? { from: from.id, to: to.id, count: 0, errors: 0 };
    known.count += 1;
    known.errors += isError(record) ? 1 : 0;
    lines.set(id, known);
  };
  for (const record of trace.events) {
    const name = agentOf(record);
    const agent = box('agent', name === '' ? '(no agent)' : name);
    count(agent, record);
    if (record.event_id) owners.set(record.event_id, agent.name);
    const parent = record.parent_event_id === undefined ? undefined : owners.get(record.parent_event_id);
    if (parent !== undefined) line(box('agent', parent), agent, record);
    const tool = toolOf(record);
    if (tool !== undefined) {
      const used = box('tool', tool);
      count(used, record);
      line(agent, used, record);
    }
  }
  return placed([...boxes.values()], [...lines.values()]);
}

function count(box: Box, record: EventRecord): void {
  box.events += 1;
  box.errors += isError(record) ? 1 : 0;
  box.denied += record.outcome === 'denied' ? 1 : 0;
}

/** Columns by how far a box is from the first one; a tool stands right of the first agent that used it. */
function placed(boxes: Box[], lines: Line[]): Graph {
  const agents = boxes.filter((it) => it.kind === 'agent');
  const column = new Map<string, number>();
  for (const start of agents) {
    if (column.has(start.id)) continue;
    const queue = [start.id];
    column.set(start.id, 0);
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      for (const line of lines) {
        if (line.from !== id || column.has(line.to) || line.to.startsWith('tool:')) continue;
        column.set(line.to, (column.get(id) ?? 0) + 1);
        queue.push(line.to);
      }
    }
  }
  const heights = new Map<number, number>();
  for (const box of boxes) {
    const user = lines.find((line) => line.to === box.id)?.from ?? '';
    box.column = box.kind === 'tool' ? (column.get(user) ?? 0) + 1 : (column.get(box.id) ?? 0);
    box.row = heights.get(box.column) ?? 0;
    heights.set(box.column, box.row + 1);
  }
  return { boxes, lines, columns: Math.max(0, ...heights.keys()) + 1, rows: Math.max(1, ...heights.values()) };
}
