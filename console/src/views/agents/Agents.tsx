// Agents: how active each is and how often it fails; and one of them with what it did last.
import type { ActiveAgent } from '../../api/types';
import { Card, Stat } from '../../components/Card';
import { SortedTable, type SortedColumn } from '../../components/SortedTable';
import { Empty, Failure, Waiting } from '../../components/States';
import { useSearch } from '../../hooks/events';
import { useAgents, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import type { Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { count, percent } from '../../model/number';
import { moment } from '../../model/time';
import { oneLine, visible } from '../../model/visible';
import { Beside, choose, chosenIn } from '../event/Beside';
import { useListKeys } from '../explore/Explore';
import { EventTable } from '../explore/EventTable';
import { eventColumns, lastColumn, tokensColumn } from '../sessions/columns';

const rate = (it: ActiveAgent): number => (it.events === 0 ? 0 : it.errors / it.events);

const columns = (log: string): SortedColumn<ActiveAgent>[] => [
  {
    id: 'agent',
    label: 'Agent',
    sortBy: (it) => it.agent,
    cell: (it) => <a href={paths.agent(log, it.agent)}>{oneLine(it.agent)}</a>,
  },
  ...eventColumns,
  { id: 'rate', label: 'Error rate', isNumber: true, sortBy: rate, cell: (it) => percent(rate(it)) },
  tokensColumn,
  {
    id: 'first',
    label: 'First event (UTC)',
    isNumber: true,
    hideSmall: true,
    sortBy: (it) => it.first_seen,
    cell: (it) => <span class="mono">{moment(it.first_seen).slice(0, 19)}</span>,
  },
  { ...lastColumn, hideSmall: true },
];

export function Agents({ place, name: agent }: { place: Place; name: string | undefined }) {
  useTitle('Agents');
  const { name } = useLogPlace();
  const { data, error, refresh } = useAgents(name);
  if (agent !== undefined)
    return <OneAgent agent={agent} activity={data?.agents.find((it) => it.agent === agent)} place={place} />;
  return (
    <div class="page">
      <div class="head">
        <h1>Agents</h1>
        {data && (
          <span class="sub">
            {count(data.agents.length)}
            {data.beyond ? ` and ${count(data.beyond)} more` : ''}, as of {count(data.checkpoint.size)} entries
          </span>
        )}
      </div>
      {error && <Failure error={error} retry={refresh} />}
      <Card title="Agents" flush>
        {!data && !error && <Waiting what="agents" />}
        {data?.agents.length === 0 && (
          <Empty icon="agents" title="No agent yet">
            Agents appear with their first event.
          </Empty>
        )}
        {data && data.agents.length > 0 && (
          <SortedTable
            label="Agents"
            rows={data.agents}
            columns={columns(name)}
            keyOf={(it) => it.agent}
            first="events"
          />
        )}
      </Card>
    </div>
  );
}

function OneAgent({ agent, activity, place }: { agent: string; activity: ActiveAgent | undefined; place: Place }) {
  const { name } = useLogPlace();
  const { data: pages, error, refresh, more } = useSearch(name, { agent: [agent] }, false);
  const events = pages?.flatMap((page) => page.events) ?? [];
  const chosen = chosenIn(place);
  useListKeys(
    events.map((record) => String(record.index)),
    chosen,
    (id) => choose(place, id),
  );
  return (
    <div class="page">
      <div class="head">
        <h1>{visible(agent)}</h1>
        <a class="push" href={paths.explore(name, new URLSearchParams([['agent', agent]]).toString())}>
          Explore its events
        </a>
      </div>
      {activity && (
        <div class="cols">
          <Stat label="Events" value={count(activity.events)} />
          <Stat
            label="Error rate"
            value={percent(rate(activity))}
            note={`${count(activity.errors)} errors`}
            {...(activity.errors > 0 ? { tone: 'bad' as const } : {})}
          />
          <Stat label="Tokens" value={count(activity.tokens)} />
          <Stat
            label="Last event"
            value={<span class="strong">{moment(activity.last_seen).slice(11, 19)}</span>}
            note={`${moment(activity.last_seen).slice(0, 10)}; first ${moment(activity.first_seen).slice(0, 16)}`}
          />
        </div>
      )}
      {error && <Failure error={error} retry={refresh} />}
      <Beside place={place}>
        <Card title="What it did, newest first" flush>
          {!pages && !error && <Waiting what="events" />}
          {pages && events.length === 0 && (
            <Empty icon="agents" title="No events">
              No event of this log is of this agent.
            </Empty>
          )}
          {events.length > 0 && (
            <EventTable
              label="Events of the agent"
              events={events}
              chosen={chosen}
              place={place}
              nearEnd={more}
              height="calc(100vh - 300px)"
            />
          )}
        </Card>
      </Beside>
    </div>
  );
}
