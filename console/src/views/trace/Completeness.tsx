// Whether the session is whole, as this browser found by itself; said before what the session shows.
import { useState } from 'preact/hooks';
import type { Trace } from '../../api/types';
import { Icon } from '../../components/Icon';
import { Alert } from '../../components/States';
import { isLong, useCompleteness, type Looked } from '../../hooks/completeness';
import { useLogHealth, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { count, plural } from '../../model/number';
import { visible } from '../../model/visible';

const LISTED_MAX = 8;

export function Completeness({ session, trace }: { session: string; trace: Trace }) {
  const { name } = useLogPlace();
  const origin = useLogHealth(name).data?.origin ?? '';
  const [toTheEnd, setToTheEnd] = useState(false);
  const { data: found, error, refresh } = useCompleteness(name, origin, session, trace, toTheEnd);
  if (trace.events.every((record) => record.kind === 'log')) return null;
  const isWaiting = !toTheEnd && isLong(trace);
  const look = (
    <button type="button" class="button quiet" onClick={() => setToTheEnd(true)}>
      Look to the end
    </button>
  );
  if (error)
    return (
      <Alert tone="warn">
        Whether anything was left out of this session could not be checked: {visible(error.message)}{' '}
        <button type="button" class="button quiet" onClick={refresh}>
          Try again
        </button>
      </Alert>
    );
  if (found?.state === 'missing' || found?.state === 'fails') return <Left found={found} />;
  return (
    <p class={`checked small soft ${found || isWaiting ? '' : 'asking'}`} role="status">
      <Icon name={found?.state === 'complete' ? 'good' : 'plain'} />
      {!found && !isWaiting && 'Checking whether anything was left out …'}
      {!found && isWaiting && <>Too long to be checked by itself. {look}</>}
      {found?.state === 'complete' && 'Nothing was left out of this session: checked in this browser.'}
      {found?.state === 'open' && (
        <>
          Nothing was left out up to {plural(found.looked, 'entry', 'entries')} behind its last event: checked in this
          browser. {!toTheEnd && look}
        </>
      )}
    </p>
  );
}

function Left({ found }: { found: Looked }) {
  const { name } = useLogPlace();
  if (found.state === 'fails')
    return (
      <Alert tone="bad">
        <b>This session does not hold.</b>
        <ul>
          {found.faults.slice(0, 5).map((fault) => (
            <li key={fault}>{visible(fault)}</li>
          ))}
        </ul>
      </Alert>
    );
  const removed = new Set(found.removed);
  const isRemoved = found.missing.every((index) => removed.has(index));
  const [it, was] = found.missing.length === 1 ? ['it', 'it was'] : ['them', 'they were'];
  return (
    <Alert tone={isRemoved ? 'warn' : 'bad'}>
      <b>
        {plural(found.missing.length, 'record')} of this session {found.missing.length === 1 ? 'is' : 'are'} not shown.
      </b>{' '}
      The public log has {it} at{' '}
      {found.missing.slice(0, LISTED_MAX).map((index) => (
        <a key={index} class="mono" href={paths.event(name, index)}>
          #{index}{' '}
        </a>
      ))}
      {found.missing.length > LISTED_MAX && `and ${count(found.missing.length - LISTED_MAX)} more`}.{' '}
      {isRemoved ? (
        <>
          The server says that {was} erased, or that the time to keep {it} is over: <i>Life cycle</i> says by whom and
          why.
        </>
      ) : (
        <>The server leaves {it} out.</>
      )}
    </Alert>
  );
}
