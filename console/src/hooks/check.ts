// The check of one event in this browser: the evidence is fetched, the checker says whether it holds.
import { event, evidence } from '../api/questions';
import { checkEvidence, differences, type EventCheck } from '../model/check';
import { loadChecker } from './checker';
import { expectedKey } from './kept';
import { useQuery, type Answer } from './query';

export interface EventProof extends EventCheck {
  /** Parts of the record that the server showed otherwise than they were sealed. */
  altered: string[];
}

export const useEventCheck = (log: string, origin: string, id: string, index: number): Answer<EventProof> =>
  useQuery(['check', log, id, index, expectedKey(origin)], async () => {
    const [module, proof, page] = await Promise.all([loadChecker(), evidence(log, id), event(log, id)]);
    const check = await checkEvidence(module, proof, expectedKey(origin), index);
    const shown = page.events[0] as unknown as Record<string, unknown> | undefined;
    const altered = check.checked && shown ? differences(shown, check.checked) : [];
    return { ...check, altered };
  });
