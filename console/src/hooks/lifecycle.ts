// Holding, releasing, erasing, letting go: each asks the server, then looks again at what it changed.
import * as questions from '../api/questions';
import type { Erased, Expired, Held, Select } from '../api/types';
import { useAct, type Act } from './act';
import { cache } from './cache';

/** The published checkpoint, as of which lists are answered, is at most this late. */
const PUBLISHED_MS = 1_500;

async function looked<R>(log: string, list: string, act: Promise<R>): Promise<R> {
  const done = await act;
  const look = (): unknown => cache.invalidateQueries({ queryKey: [list, log] });
  look();
  setTimeout(look, PUBLISHED_MS);
  return done;
}

export const useHold = (log: string): Act<[Select, string], Held> =>
  useAct((select, reason) => looked(log, 'holds', questions.hold(log, select, reason)));

export const useRelease = (log: string): Act<[string, string], { released: string }> =>
  useAct((hold, reason) => looked(log, 'holds', questions.release(log, hold, reason)));

export interface NewErasure {
  select: Select;
  scope: string;
  reason: string;
  ground?: string;
}

/** What is refused is in the list as well, so it is looked at again either way. */
export const useErase = (log: string): Act<[NewErasure], Erased> =>
  useAct(async (erasure) => {
    try {
      return await looked(log, 'erasures', questions.erase(log, erasure));
    } catch (error) {
      setTimeout(() => void cache.invalidateQueries({ queryKey: ['erasures', log] }), PUBLISHED_MS);
      throw error;
    }
  });

export const useExpire = (log: string): Act<[], Expired> =>
  useAct(() => looked(log, 'retention', questions.expire(log)));
