// Two traces beside each other, as `tacho trace A --diff B` lays them (docs/forensics.md): which steps both
// have, which only one, and what differs in those that both have. Steps are the same when agent, type and
// tool are; without a tool, what they are called.
import type { EventRecord, Trace, TraceNode } from '../api/types';
import { duration } from './time';
import { toolOf } from './record';

export interface Step {
  node: TraceNode;
  record: EventRecord | undefined;
}

export interface Change {
  field: string;
  left: string;
  right: string;
}

export interface DifferenceRow {
  left: Step | undefined;
  right: Step | undefined;
  changes: Change[];
}

export interface Difference {
  rows: DifferenceRow[];
  common: number;
  changed: number;
  onlyLeft: number;
  onlyRight: number;
  /** They are too long for the longest common sequence: more may be common. */
  isApproximate: boolean;
}

/** Cells of the table that finds the longest common sequence; beyond it the next same step is taken. */
const CELLS_MAX = 4_000_000;
const NEAR = 256;
/** Durations differ when one is this much longer. */
const LONGER = 2;
/** What a label says of these is content, or a figure. */
const UNNAMED = new Set(['agent.invocation', 'agent.llm_response', 'agent.token_usage', 'agent.error']);

export function differenceOf(left: Trace, right: Trace): Difference {
  const [a, b] = [stepsOf(left), stepsOf(right)];
  const [keysA, keysB] = [a.map(keyOf), b.map(keyOf)];
  let begin = 0;
  while (begin < Math.min(a.length, b.length) && keysA[begin] === keysB[begin]) begin += 1;
  let end = 0;
  const most = Math.min(a.length, b.length) - begin;
  while (end < most && keysA[a.length - 1 - end] === keysB[b.length - 1 - end]) end += 1;
  const middleA = keysA.slice(begin, a.length - end);
  const middleB = keysB.slice(begin, b.length - end);
  const isApproximate = (middleA.length + 1) * (middleB.length + 1) > CELLS_MAX;
  const pairs = [
    ...Array.from({ length: begin }, (_, at) => [at, at] as const),
    ...(isApproximate ? near(middleA, middleB) : longest(middleA, middleB)).map(
      ([x, y]) => [begin + x, begin + y] as const,
    ),
    ...Array.from({ length: end }, (_, at) => [a.length - end + at, b.length - end + at] as const),
  ];
  return { ...counted(laid(a, b, pairs)), isApproximate };
}

function stepsOf(trace: Trace): Step[] {
  const records = new Map(trace.events.map((record) => [record.index, record]));
  return trace.nodes.map((node) => ({ node, record: records.get(node.index) }));
}

function keyOf({ node, record }: Step): string {
  const tool = record && toolOf(record);
  const name =
    node.type === 'agent.decision'
      ? (node.label.split(' (confidence')[0] ?? '')
      : UNNAMED.has(node.type)
        ? ''
        : node.label;
  return JSON.stringify([node.agent, node.type, tool ?? name]);
}

function laid(a: Step[], b: Step[], pairs: (readonly [number, number])[]): DifferenceRow[] {
  const rows: DifferenceRow[] = [];
  let [x, y] = [0, 0];
  for (const [nextX, nextY] of [...pairs, [a.length, b.length] as const]) {
    for (; x < nextX; x += 1) rows.push({ left: a[x], right: undefined, changes: [] });
    for (; y < nextY; y += 1) rows.push({ left: undefined, right: b[y], changes: [] });
    const [left, right] = [a[x], b[y]];
    if (left && right) rows.push({ left, right, changes: changesOf(left, right) });
    [x, y] = [x + 1, y + 1];
  }
  return rows;
}

function counted(rows: DifferenceRow[]): Omit<Difference, 'isApproximate'> {
  const count = (is: (row: DifferenceRow) => unknown): number => rows.filter((row) => is(row)).length;
  return {
    rows,
    common: count((row) => row.left && row.right),
    changed: count((row) => row.changes.length > 0),
    onlyLeft: count((row) => !row.right),
    onlyRight: count((row) => !row.left),
  };
}

/** The longest common sequence, as pairs of positions. */
function longest(a: string[], b: string[]): (readonly [number, number])[] {
  const width = b.length + 1;
  const best = new Uint32Array((a.length + 1) * width);
  const at = (x: number, y: number): number => best[x * width + y] ?? 0;
  for (let x = a.length - 1; x >= 0; x -= 1) {
    for (let y = b.length - 1; y >= 0; y -= 1) {
      best[x * width + y] = a[x] === b[y] ? at(x + 1, y + 1) + 1 : Math.max(at(x + 1, y), at(x, y + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let x = 0, y = 0; x < a.length && y < b.length;) {
    if (a[x] === b[y]) {
      pairs.push([x, y]);
      x += 1;
      y += 1;
    } else if (at(x + 1, y) >= at(x, y + 1)) x += 1;
    else y += 1;
  }
  return pairs;
}

/** For each step the next same one, where it is near: a common sequence, not the longest. */
function near(a: string[], b: string[]): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let next = 0;
  a.forEach((key, x) => {
    const found = b.slice(next, next + NEAR).indexOf(key);
    if (found < 0) return;
    pairs.push([x, next + found]);
    next += found + 1;
  });
  return pairs;
}

function changesOf(left: Step, right: Step): Change[] {
  const model = ({ record }: Step): string => record?.model?.responded ?? record?.model?.requested ?? '';
  const fields: [string, string, string][] = [
    ['status', left.node.status, right.node.status],
    ['error', left.record?.error_type ?? '', right.record?.error_type ?? ''],
    ['model', model(left), model(right)],
    ['label', left.node.label, right.node.label],
  ];
  const changes = fields
    .filter(([, one, other]) => one !== other)
    .map(([field, one, other]): Change => ({ field, left: one, right: other }));
  const [one, other] = [left.record?.duration_ms, right.record?.duration_ms];
  if (typeof one === 'number' && typeof other === 'number' && (one > other * LONGER || other > one * LONGER))
    changes.push({ field: 'took', left: duration(one), right: duration(other) });
  return changes;
}
