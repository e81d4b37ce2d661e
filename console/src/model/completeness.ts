// Was anything left out of a session? The public log numbers the records of each session of a day, without
// telling which session it is. The entries of these numbers are gathered here into a bundle without records,
// and the checker says what it is worth (docs/internals/format.md, sections 6.1 and 18); then what the log
// has is compared with what the page shows.
import type { Evidence } from '../api/types';
import { escaped, NO_FIGURES } from './bundle';
import { runChecker, type Checked } from './checker';
import { parseProof } from './note';
import { ENTRY_BYTES, type Entry, type PublicLog } from './publicLog';
import { hexOf } from './tree';

export interface Completeness {
  /** `open`: nothing is missing, and how it went on was not looked at to the end. */
  state: 'complete' | 'open' | 'missing' | 'fails';
  /** Indexes of records of the session that the page does not show. */
  missing: number[];
  /** What does not hold, in the checker's words. */
  faults: string[];
  /** Entries behind the last record that were looked at. */
  looked: number;
}

export interface Limits {
  /** Entries that are looked at behind the last record. */
  after: number;
  /** Entries that are looked at to find a number that is missing. */
  between: number;
}

/** What is looked at by itself, and on request; the latter is what a bundle may hold. */
export const BY_ITSELF: Limits = { after: 4_096, between: 16_384 };
export const TO_THE_END: Limits = { after: 65_536, between: 65_536 };

interface Gathered {
  /** Entries of the streams, by index. */
  entries: Map<number, Entry>;
  streams: string[];
  rest: Entry[];
  isOpen: boolean;
}

interface Question {
  session: string;
  /** Indexes of the records that are shown. */
  shown: readonly number[];
  /** Entries that the answer which is shown was as of. */
  asOf: number;
}

/** Checks a session against the tree that `evidence`, of any entry, is proved in. */
export async function checkCompleteness(
  module: WebAssembly.Module,
  log: PublicLog,
  evidence: Evidence,
  expected: string,
  question: Question,
  limits: Limits,
): Promise<Completeness> {
  const gathered = await gather(log, question.shown, limits);
  const bundle = await bundleOf(log, evidence, question.session, gathered);
  const { report } = JSON.parse(await runChecker(module, bundle, expected)) as Checked;
  const faults = report.findings
    .filter((it) => it.kind !== 'unassessed' && it.kind !== 'unreadable')
    // Where it was not looked to the end, the checker misses the rest: that is no fault of the log.
    .filter((it) => !(gathered.isOpen && it.kind === 'missing' && it.file === 'rest'))
    .map((it) => it.detail);
  const shown = new Set(question.shown);
  const missing = [...gathered.entries.keys()].filter((it) => !shown.has(it) && it < question.asOf);
  const state = faults.length > 0 ? 'fails' : missing.length > 0 ? 'missing' : gathered.isOpen ? 'open' : 'complete';
  return { state, missing: missing.sort((one, other) => one - other), faults, looked: gathered.rest.length };
}

async function gather(log: PublicLog, shown: readonly number[], limits: Limits): Promise<Gathered> {
  const entries = new Map<number, Entry>();
  for (const index of shown) if (index < log.size) entries.set(index, await log.entry(index));
  const streams = [...new Set([...entries.values()].map((entry) => entry.stream))].sort();
  for (const stream of streams) await fill(log, entries, stream, limits.between);
  const { rest, isOpen } = await follow(log, entries, new Set(streams), limits.after);
  return { entries, streams, rest, isOpen };
}

const ofStream = (entries: Map<number, Entry>, stream: string): Entry[] =>
  [...entries.values()].filter((entry) => entry.stream === stream).sort((one, other) => one.index - other.index);

/** Looks for the numbers of a stream that are missing before its last known record. */
async function fill(log: PublicLog, entries: Map<number, Entry>, stream: string, most: number): Promise<void> {
  const known = ofStream(entries, stream);
  let budget = most;
  for (let at = known.length - 1; at >= 0; at -= 1) {
    const entry = known[at] as Entry;
    const before = known[at - 1];
    let missing = entry.sequence - 1 - (before?.sequence ?? 0);
    for (let index = entry.index - 1; missing > 0 && index > (before?.index ?? -1) && budget > 0; index -= 1) {
      const other = await log.entry(index);
      budget -= 1;
      if (other.stream !== stream) continue;
      entries.set(index, other);
      missing -= 1;
    }
  }
}

/** Goes on behind the last records, until no stream can go on: a stream has one day. */
async function follow(
  log: PublicLog,
  entries: Map<number, Entry>,
  streams: ReadonlySet<string>,
  most: number,
): Promise<{ rest: Entry[]; isOpen: boolean }> {
  const last = new Map<string, Entry>();
  for (const entry of entries.values()) {
    if ((last.get(entry.stream)?.index ?? -1) < entry.index) last.set(entry.stream, entry);
  }
  const rest: Entry[] = [];
  const first = Math.min(...[...last.values()].map((entry) => entry.index));
  let index = first + 1;
  for (; index < log.size; index += 1) {
    // Over as soon as every stream was followed to another day.
    const day = Math.max(...[...last.values()].map((entry) => entry.day));
    if (rest.length >= most) return { rest, isOpen: true };
    const entry = await log.entry(index);
    rest.push(entry);
    if (streams.has(entry.stream)) {
      entries.set(index, entry);
      last.set(entry.stream, entry);
    }
    const isBehindAll = [...last.values()].every((it) => it.index < index);
    if (isBehindAll && entry.day > day) break;
  }
  return { rest, isOpen: false };
}

async function bundleOf(
  log: PublicLog,
  evidence: Evidence,
  session: string,
  { entries, streams, rest }: Gathered,
): Promise<string> {
  const { successions } = evidence as Evidence & { successions?: unknown[] };
  const indexes = [...entries.keys()].sort((one, other) => one - other);
  const records = [];
  for (const index of indexes) {
    const entry = entries.get(index) as Entry;
    // Not shown here: that the records fit their entries, each event's own page checks.
    records.push({ index, entry: hexOf(entry.bytes), proof: await log.pathOf(index), absent: 'removed' });
  }
  const [begin] = rest;
  const bundle = {
    format: 'tachograph.bundle/1',
    origin: evidence.origin,
    subject: { kind: 'session', id: session },
    vkeys: evidence.vkeys,
    ...(successions === undefined ? {} : { successions }),
    checkpoint: parseProof(evidence.proof)?.checkpoint ?? '',
    figures: JSON.parse(NO_FIGURES) as unknown,
    records,
    streams,
    rest: begin
      ? [
          {
            first: begin.index,
            entries: base64(rest),
            proof: await log.beside(begin.index, begin.index + rest.length),
          },
        ]
      : [],
  };
  return escaped(JSON.stringify(bundle));
}

function base64(entries: Entry[]): string {
  let text = '';
  for (const { bytes } of entries) {
    for (let at = 0; at < ENTRY_BYTES; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  }
  return btoa(text);
}
