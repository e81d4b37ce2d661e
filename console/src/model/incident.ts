// The words of an examination as people read them; what they mean stands in docs/forensics.md.
import type { TagTone } from './tone';

const VERDICTS: Record<string, [string, TagTone]> = {
  failed: ['failed', 'bad'],
  escalated: ['handed to a person', 'warn'],
  stopped: ['stopped', 'denied'],
  recovered: ['recovered', 'warn'],
  nothing_failed: ['nothing failed', 'good'],
};

/** A verdict in words, and what it is worth. */
export function verdictOf(verdict: string): { word: string; tone: TagTone } {
  const [word, tone] = VERDICTS[verdict] ?? [spelled(verdict), 'plain'];
  return { word, tone };
}

/** `tool_timeout` as `tool timeout`. */
export const spelled = (name: string): string => name.replaceAll('_', ' ');

/** How an event of a timeline ended: what it is worth. */
export function toneOf(status: string, role?: string | null): TagTone {
  if (role === 'first_failure' || status === 'error' || status === 'timeout') return 'bad';
  if (status === 'denied') return 'denied';
  return role ? 'warn' : 'plain';
}
