// Is this still the log that this browser saw? Looked at by itself when a log is opened, and once a minute:
// the signed checkpoint, and that its tree contains the one that was seen before. No record is asked for.
import { useEffect, useState } from 'preact/hooks';
import type { LogHealth } from '../api/types';
import { grown } from './inspection';
import { loadChecker } from './checker';
import { expectedKey, keepCheckpoint, keptCheckpoint } from './kept';
import { useQuery } from './query';

const EVERY_MS = 60_000;
/** The checker is heavier than a page: the page comes first. */
const FIRST_AFTER_MS = 1_500;

export interface Watched {
  /** Why it is another log than before; undefined as long as nothing speaks against it. */
  why: string | undefined;
}

export function useWatch(health: LogHealth, isAllowed: boolean): Watched {
  const { name, origin, size } = health;
  const [isDue, setDue] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), FIRST_AFTER_MS);
    return () => clearTimeout(timer);
  }, [name]);
  const { data, refresh } = useQuery(['watch', name, origin, expectedKey(origin)], () => look(name, origin), {
    every: EVERY_MS,
    enabled: isDue && isAllowed && origin !== '',
  });
  const isShorter = isDue && size < (keptCheckpoint(origin)?.size ?? 0);
  useEffect(() => {
    // May be only an older answer: the signed checkpoint decides.
    if (isShorter) refresh();
  }, [isShorter, size]);
  return { why: data?.why };
}

async function look(log: string, origin: string): Promise<{ why?: string }> {
  const before = keptCheckpoint(origin);
  const { first, growth } = await grown(await loadChecker(), log, origin, before);
  if (!growth) return { why: first.faults.join('; ') || 'its checkpoint does not hold' };
  if (!growth.holds) return { why: growth.why };
  // Another page of this browser may have seen more meanwhile.
  if (first.size > (keptCheckpoint(origin)?.size ?? 0))
    keepCheckpoint(origin, {
      size: first.size,
      root: first.root,
      note: first.checkpoint,
      at: new Date().toISOString(),
    });
  return {};
}
