// Sessions: what ran when, how much of it failed, and the way into each.
import { useState } from 'preact/hooks';
import type { ActiveSession } from '../../api/types';
import { Card } from '../../components/Card';
import { SortedTable, type SortedColumn } from '../../components/SortedTable';
import { Empty, Failure, Waiting } from '../../components/States';
import { useLogPlace, useSessions } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import type { Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { count } from '../../model/number';
import { duration } from '../../model/time';
import { oneLine } from '../../model/visible';
import { eventColumns, lastColumn, tokensColumn } from './columns';

const SHOWN_MAX = 500;
const lasted = (it: ActiveSession): number => Date.parse(it.last_seen) - Date.parse(it.first_seen);

const columns = (log: string): SortedColumn<ActiveSession>[] => [
  {
    id: 'session',
    label: 'Session',
    sortBy: (it) => it.session,
    cell: (it) => (
      <a class="mono" href={paths.session(log, it.session)}>
        {oneLine(it.session)}
      </a>
    ),
  },
  ...eventColumns,
  tokensColumn,
  {
    id: 'lasted',
    label: 'Lasted',
    isNumber: true,
    hideSmall: true,
    sortBy: lasted,
    cell: (it) => duration(lasted(it)),
  },
  lastColumn,
];

export function Sessions({ place }: { place: Place }) {
  useTitle('Sessions');
  const { name } = useLogPlace();
  const { data, error, refresh } = useSessions(name);
  const [typed, setTyped] = useState(place.parameters.get('name') ?? '');
  const fitting = data?.sessions.filter((it) => it.session.toLowerCase().includes(typed.toLowerCase())) ?? [];
  return (
    <div class="page">
      <div class="head">
        <h1>Sessions</h1>
        {data && (
          <span class="sub">
            {count(data.sessions.length)}
            {data.beyond ? ` and ${count(data.beyond)} more` : ''}, as of {count(data.checkpoint.size)} entries
          </span>
        )}
        <input
          class="field push"
          type="search"
          aria-label="Sessions whose name holds"
          placeholder="Name holds …"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </div>
      {error && <Failure error={error} retry={refresh} />}
      <Card title="Sessions" flush>
        {!data && !error && <Waiting what="sessions" />}
        {data && fitting.length === 0 && (
          <Empty icon="sessions" title="No session">
            {typed === '' ? 'No event of this log names one.' : 'None has such a name.'}
          </Empty>
        )}
        {fitting.length > 0 && (
          <SortedTable
            label="Sessions"
            rows={fitting.slice(0, SHOWN_MAX)}
            columns={columns(name)}
            keyOf={(it) => it.session}
            first="last"
          />
        )}
        {fitting.length > SHOWN_MAX && (
          <Empty title={`The first ${SHOWN_MAX} are shown`}>Type a part of the name to find others.</Empty>
        )}
      </Card>
    </div>
  );
}
