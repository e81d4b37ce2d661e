// One event as a page of its own.
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { useTitle } from '../../hooks/screen';
import { EventDetail } from './EventDetail';

export function EventPage({ id }: { id: string }) {
  const { name } = useLogPlace();
  useTitle('Event');
  return (
    <div class="page">
      <div class="head">
        <h1>Event</h1>
        <span class="sub mono">{id}</span>
        <a class="push" href={paths.explore(name)}>
          All events
        </a>
      </div>
      <EventDetail id={id} />
    </div>
  );
}
