// What this browser found of an event by itself, without being asked: whether what is shown was sealed. Its
// content is checked when its content is looked at.
import type { EventRecord } from '../../api/types';
import { Alert } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useEventCheck } from '../../hooks/check';
import { useLogHealth, useLogPlace } from '../../hooks/log';
import { differences, isAskedFor, type EventCheck } from '../../model/check';
import { handle } from '../../model/record';
import { visible } from '../../model/visible';

export interface Sealed {
  state: 'none' | 'asking' | 'holds' | 'fails' | 'unknown';
  /** What does not hold, or why it could not be checked. */
  why: string[];
}

/** Checks the record that is shown for an id; its content too, when that is looked at. */
export function useSeal(id: string, record: EventRecord | undefined, content: boolean): Sealed {
  const { name, may } = useLogPlace();
  const origin = useLogHealth(name).data?.origin ?? '';
  const isThere = record !== undefined && record.state !== 'erased' && record.state !== 'expired';
  const enabled = isThere && origin !== '' && may.has('ReadProofs');
  const { data, error } = useEventCheck(name, origin, {
    id: record ? handle(record) : id,
    index: record?.index ?? -1,
    content: content && may.has('ReadContent'),
    enabled,
  });
  if (!record || !enabled) return { state: 'none', why: [] };
  if (!isAskedFor(id, record)) return { state: 'fails', why: [`the server shows event ${record.index} as ${id}`] };
  if (error) return { state: 'unknown', why: [error.message] };
  return data ? judged(record, data) : { state: 'asking', why: [] };
}

function judged(record: EventRecord, check: EventCheck): Sealed {
  const altered = check.checked ? differences(record, check.checked) : [];
  const why = [
    ...check.faults,
    ...(altered.length > 0 ? [`the server shows otherwise than sealed: ${altered.join(', ')}`] : []),
  ];
  const holds = why.length === 0 && (check.verdict === 'verified' || check.verdict === 'consistent');
  return { state: holds ? 'holds' : 'fails', why };
}

/** In the head of an event. */
export function SealTag({ seal }: { seal: Sealed }) {
  if (seal.state === 'holds') return <Tag title="Checked in this browser; Proof says how">as sealed</Tag>;
  return null;
}

/** Above the event, where it does not hold or nobody can tell. */
export function SealAlert({ seal }: { seal: Sealed }) {
  if (seal.state !== 'fails' && seal.state !== 'unknown') return null;
  return (
    <Alert tone={seal.state === 'fails' ? 'bad' : 'warn'}>
      <b>{seal.state === 'fails' ? 'This event does not hold.' : 'Whether this event holds could not be checked.'}</b>
      <ul>
        {seal.why.map((why) => (
          <li key={why}>{visible(why)}</li>
        ))}
      </ul>
    </Alert>
  );
}
