// The check of one record: its evidence goes to the checker twice, first to count its figures, then as
// the whole bundle that these make. What is shown is the second answer.
import type { Evidence } from '../api/types';
import { bundleOf, memberText, withFigures } from './bundle';
import { runChecker, type Checked } from './checker';

export type Verdict = 'verified' | 'consistent' | 'fails' | 'unreadable';

export interface EventCheck {
  verdict: Verdict;
  /** What does not hold, in the checker's words. */
  faults: string[];
  notes: string[];
  checked: Checked | undefined;
  /** The signed checkpoint that it was proved against. */
  checkpoint: string;
  size: number;
  root: string;
}

const unreadable = (why: string): EventCheck => ({
  verdict: 'unreadable',
  faults: [why],
  notes: [],
  checked: undefined,
  checkpoint: '',
  size: 0,
  root: '',
});

/** Checks evidence; `expected` is the key, or its fingerprint, that the reader trusts, or empty. */
export async function checkEvidence(
  module: WebAssembly.Module,
  evidence: Evidence,
  expected: string,
  index?: number,
): Promise<EventCheck> {
  const bundle = bundleOf(evidence);
  if (bundle === undefined) return unreadable('the proof does not read as one');
  const figures = memberText(await runChecker(module, bundle, expected), 'counted');
  const whole = figures === undefined || figures === 'null' ? bundle : withFigures(bundle, figures);
  const checked = JSON.parse(await runChecker(module, whole, expected)) as Checked;
  const { report } = checked;
  const faults = report.findings.map((it) => it.detail);
  const record = checked.records[0];
  // The checker says whether evidence holds, not whether it is the one that was asked for.
  if (index !== undefined && record?.index !== index)
    faults.push(`the evidence is of another record (${record?.index ?? 'none'})`);
  const holds = faults.length === 0 && record?.state === 'holds';
  const verdict = holds ? (checked.is_pinned ? 'verified' : 'consistent') : 'fails';
  const checkpoint = bundle.length > 0 ? evidence.proof.split('\n\n').slice(1).join('\n\n') : '';
  return { verdict, faults, notes: report.notes, checked, checkpoint, size: report.size, root: report.root };
}

/** What the log says of a record beside the event: no part of what was sealed as its metadata. */
const BESIDE = new Set(['index', 'recorded_at', 'leaf_hash', 'content', 'tier', 'kind', 'state', 'unreadable']);

/** Whether what the server showed as a record is what was proved: no member otherwise, none that is not there. */
export function differences(shown: Record<string, unknown>, checked: Checked): string[] {
  const record = checked.records[0];
  if (!record) return ['nothing was proved'];
  const proved = JSON.parse(record.meta) as Record<string, unknown>;
  const names = [
    ...Object.keys(proved),
    ...Object.keys(shown).filter((name) => !BESIDE.has(name) && !(name in proved)),
  ];
  const parts: [string, unknown, unknown][] = names.map((name) => [name, proved[name], shown[name]]);
  parts.push(['recorded_at', Date.parse(record.recorded_at ?? ''), Date.parse(String(shown['recorded_at']))]);
  if (record.content !== null) parts.push(['content', JSON.parse(record.content), shown['content'] ?? {}]);
  return parts.filter(([, one, other]) => JSON.stringify(one) !== JSON.stringify(other)).map(([name]) => name);
}

/** Whether a record is the one that was asked for by id or index. */
export const isAskedFor = (id: string, record: { index: number; event_id?: string }): boolean =>
  record.event_id === id || String(record.index) === id;
