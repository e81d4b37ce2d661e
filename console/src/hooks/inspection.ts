// "Check it yourself": one inspection of a log by this browser, step by step. Signatures, records and
// inclusion are checked by the checker in WebAssembly; growth by `model/consistency`.
import { useState } from 'preact/hooks';
import { ApiError } from '../api/problem';
import { evidence, tile } from '../api/questions';
import { checkEvidence, type EventCheck } from '../model/check';
import { checkGrowth, type Growth } from '../model/consistency';
import { loadChecker } from './checker';
import { expectedKey, keepCheckpoint, keptCheckpoint, type KeptCheckpoint } from './kept';

const SAMPLES = 12;
const ATTEMPTS_MAX = 6;

export interface Inspection {
  state: 'idle' | 'running' | 'done';
  error: Error | undefined;
  /** Entry 0 under the newest checkpoint: its signature, and the keys. */
  first: EventCheck | undefined;
  before: KeptCheckpoint | undefined;
  growth: Growth | undefined;
  /** Records picked at random. */
  samples: { index: number; check: EventCheck | undefined; why: string }[];
}

const NOTHING: Inspection = {
  state: 'idle',
  error: undefined,
  first: undefined,
  before: undefined,
  growth: undefined,
  samples: [],
};

export function useInspection(log: string, origin: string): [Inspection, () => Promise<void>] {
  const [inspection, setInspection] = useState(NOTHING);
  const inspect = async (): Promise<void> => {
    const found: Inspection = { ...NOTHING, state: 'running', before: keptCheckpoint(origin) };
    const tell = (more: Partial<Inspection>) => setInspection({ ...Object.assign(found, more) });
    tell({});
    try {
      const module = await loadChecker();
      const { first, growth } = await grown(module, log, origin, found.before);
      tell({ first, growth });
      if (!growth) {
        tell({ state: 'done' });
        return;
      }
      for (const index of picked(first.size)) {
        tell({ samples: [...found.samples, await sample(module, log, origin, index)] });
      }
      // What was seen is kept only when all of it held: a fork stays visible until somebody looks.
      if (growth.holds && found.samples.every((it) => it.check === undefined || it.check.verdict === first.verdict)) {
        keepCheckpoint(origin, {
          size: first.size,
          root: first.root,
          note: first.checkpoint,
          at: new Date().toISOString(),
        });
      }
    } catch (error) {
      tell({ error: error as Error });
    }
    tell({ state: 'done' });
  };
  return [inspection, inspect];
}

/** Entry 0 under the newest checkpoint, and whether that tree contains the one that was seen before. */
export async function grown(
  module: WebAssembly.Module,
  log: string,
  origin: string,
  before: KeptCheckpoint | undefined,
): Promise<{ first: EventCheck; growth: Growth | undefined }> {
  for (let attempt = 1; ; attempt += 1) {
    const first = await checkEvidence(module, await evidence(log, '0', { content: 0 }), expectedKey(origin), 0);
    if (first.verdict !== 'verified' && first.verdict !== 'consistent') return { first, growth: undefined };
    if (before === undefined) return { first, growth: { holds: true } };
    try {
      return { first, growth: await checkGrowth(before, first, (path) => tile(log, path)) };
    } catch (error) {
      // A log that is being written to replaces its partial tiles once a second: look at the newer tree.
      const isOvertaken = error instanceof ApiError && error.status === 404;
      if (!isOvertaken || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function sample(
  module: WebAssembly.Module,
  log: string,
  origin: string,
  index: number,
): Promise<Inspection['samples'][number]> {
  try {
    const check = await checkEvidence(
      module,
      await evidence(log, String(index), { content: 0 }),
      expectedKey(origin),
      index,
    );
    return { index, check, why: check.faults.join('; ') };
  } catch (error) {
    // Expired, erased, or not for this caller: there is nothing to check, which is no fault.
    return { index, check: undefined, why: (error as Error).message };
  }
}

function picked(size: number): number[] {
  const chosen = new Set<number>();
  const random = new Uint32Array(1);
  while (chosen.size < Math.min(SAMPLES, size)) {
    crypto.getRandomValues(random);
    chosen.add((random[0] ?? 0) % size);
  }
  return [...chosen].sort((one, other) => one - other);
}
