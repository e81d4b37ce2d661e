// The check of one event in this browser: the evidence is fetched, the checker says whether it holds.
import { evidence } from '../api/questions';
import { checkEvidence, type EventCheck } from '../model/check';
import { loadChecker } from './checker';
import { expectedKey } from './kept';
import { useQuery, type Answer } from './query';

export const useEventCheck = (log: string, origin: string, id: string, index: number): Answer<EventCheck> =>
  useQuery(['check', log, id, index, expectedKey(origin)], async () => {
    const [module, proof] = await Promise.all([loadChecker(), evidence(log, id)]);
    return checkEvidence(module, proof, expectedKey(origin), index);
  });
