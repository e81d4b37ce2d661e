// The check of one event in this browser: the evidence is fetched, the checker says whether it holds.
import { evidence } from '../api/questions';
import { checkEvidence, type EventCheck } from '../model/check';
import { loadChecker } from './checker';
import { expectedKey } from './kept';
import { useQuery, type Answer } from './query';

interface Asked {
  id: string;
  index: number;
  /** With content whoever looks is in the log once more. */
  content: boolean;
  enabled?: boolean;
}

export function useEventCheck(log: string, origin: string, asked: Asked): Answer<EventCheck> {
  const { id, index, content, enabled = true } = asked;
  return useQuery(
    ['check', log, id, index, content, expectedKey(origin)],
    async () => {
      // Without the right to content an answer has none, whatever is asked.
      const [module, proof] = await Promise.all([loadChecker(), evidence(log, id, content ? {} : { content: 0 })]);
      return checkEvidence(module, proof, expectedKey(origin), index);
    },
    { enabled },
  );
}
