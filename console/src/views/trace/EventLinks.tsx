// Events that a claim rests on, each one click away, beside the page that makes the claim.
import { withParameters, type Place } from '../../hooks/route';

const SHOWN_MAX = 12;

export function EventLinks({ events, place }: { events: readonly number[]; place: Place }) {
  return (
    <span class="line mono">
      {events.slice(0, SHOWN_MAX).map((index) => (
        <a key={index} href={withParameters(place, { event_at: String(index) })}>
          #{index}
        </a>
      ))}
      {events.length > SHOWN_MAX && <span class="soft">and {events.length - SHOWN_MAX} more</span>}
    </span>
  );
}
