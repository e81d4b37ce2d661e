// Which page an address is of.
import type { LogHealth } from '../api/types';
import { Empty } from '../components/States';
import { useLogPlace } from '../hooks/log';
import type { Route } from '../hooks/paths';
import type { Place } from '../hooks/route';
import { Agents } from './agents/Agents';
import { Compare } from './compare/Compare';
import { EventPage } from './event/EventPage';
import { Explore } from './explore/Explore';
import { Integrity } from './integrity/Integrity';
import { Lifecycle } from './lifecycle/Lifecycle';
import { Live } from './live/Live';
import { Overview } from './overview/Overview';
import { Reports } from './reports/Reports';
import { Sessions } from './sessions/Sessions';
import { TracePage } from './trace/TracePage';

export function Page({ route, place, health }: { route: Route; place: Place; health: LogHealth }) {
  const { page, id } = route;
  const { may } = useLogPlace();
  if (page !== 'lifecycle' && !may.has('ReadMetadata')) {
    return (
      <Empty icon="denied" title="Your roles show no events">
        What they show is in the navigation. Another role is the operator's to give.
      </Empty>
    );
  }
  if (page === 'overview') return <Overview place={place} health={health} />;
  if (page === 'live') return <Live place={place} />;
  if (page === 'explore') return <Explore place={place} />;
  if (page === 'events' && id !== undefined) return <EventPage id={id} key={id} />;
  if ((page === 'traces' || page === 'sessions') && id !== undefined)
    return <TracePage kind={page} id={id} place={place} key={page + id} />;
  if (page === 'sessions') return <Sessions place={place} />;
  if (page === 'compare') return <Compare place={place} />;
  if (page === 'agents') return <Agents place={place} name={id} />;
  if (page === 'reports') return <Reports place={place} />;
  if (page === 'integrity') return <Integrity health={health} />;
  if (page === 'lifecycle') return <Lifecycle place={place} />;
  return (
    <Empty icon="explore" title="There is no such page">
      The address may be of another version of the console.
    </Empty>
  );
}
