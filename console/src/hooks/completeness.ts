// Was anything left out of the session that is shown? Fetched from the public log, which records no reader,
// and checked in this browser.
import { ApiError } from '../api/problem';
import { event, evidence, tile } from '../api/questions';
import type { Trace } from '../api/types';
import { BY_ITSELF, TO_THE_END, checkCompleteness, type Completeness } from '../model/completeness';
import { parseNote, parseProof } from '../model/note';
import { PublicLog } from '../model/publicLog';
import { loadChecker } from './checker';
import { expectedKey } from './kept';
import { useQuery, type Answer } from './query';

/** More records than these are looked at only when somebody asks for it. */
const SHOWN_MAX = 2_000;
const ATTEMPTS_MAX = 6;

/** Missing records of which the server is asked what became of them. */
const ASKED_MAX = 50;

export interface Looked extends Completeness {
  /** Of those that are missing, those that were erased or have expired: the server says so. */
  removed: number[];
}

const shownIn = (trace: Trace): number[] =>
  trace.events.filter((record) => record.kind !== 'log').map((record) => record.index);

/** Whether a session is checked only when somebody asks for it. */
export const isLong = (trace: Trace): boolean => shownIn(trace).length > SHOWN_MAX;

export function useCompleteness(
  log: string,
  origin: string,
  session: string,
  trace: Trace,
  toTheEnd: boolean,
): Answer<Looked> {
  const shown = shownIn(trace);
  const key = ['complete', log, session, trace.checkpoint.root, shown.length, toTheEnd, expectedKey(origin)];
  const enabled = origin !== '' && shown.length > 0 && (toTheEnd || !isLong(trace));
  const look = async (): Promise<Looked> => {
    const found = await inspect(log, origin, session, shown, trace.checkpoint.size, toTheEnd);
    return { ...found, removed: await removedOf(log, found.missing) };
  };
  return useQuery(key, look, {
    enabled,
    keep: true,
  });
}

async function inspect(
  log: string,
  origin: string,
  session: string,
  shown: number[],
  asOf: number,
  toTheEnd: boolean,
): Promise<Completeness> {
  const module = await loadChecker();
  for (let attempt = 1; ; attempt += 1) {
    // Of the first entry: for the signed checkpoint and the keys that come with it.
    const signed = await evidence(log, '0', { content: 0 });
    const size = parseNote(parseProof(signed.proof)?.checkpoint ?? '')?.size;
    if (size === undefined) throw new Error('the checkpoint does not read as one');
    if (size < asOf)
      return {
        state: 'fails',
        missing: [],
        faults: [`the events are as of ${asOf} entries, and the signed checkpoint has ${size}`],
        looked: 0,
      };
    try {
      return await checkCompleteness(
        module,
        new PublicLog(size, (path) => tile(log, path)),
        signed,
        expectedKey(origin),
        { session, shown, asOf },
        toTheEnd ? TO_THE_END : BY_ITSELF,
      );
    } catch (error) {
      // A log that is being written to replaces its partial tiles once a second: look at the newer tree.
      if (!(error instanceof ApiError && error.status === 404) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** An entry that is in the log and has no record: the server has nothing left to show of it, it says. */
async function removedOf(log: string, missing: readonly number[]): Promise<number[]> {
  const removed: number[] = [];
  for (const index of missing.slice(0, ASKED_MAX)) {
    const isGone = await event(log, String(index), { content: 0 }).then(
      ({ events }) => events.some((it) => it.index === index && (it.state === 'erased' || it.state === 'expired')),
      (error: unknown) => error instanceof ApiError && error.status === 404,
    );
    if (isGone) removed.push(index);
  }
  return removed;
}
