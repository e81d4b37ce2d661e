// What the loaded events have in common, to narrow a search by: each value is a link to the search with it,
// or without it.
import type { EventRecord } from '../../api/types';
import { searchAddress } from '../../hooks/route';
import type { Place } from '../../hooks/route';
import { facetsOf, toggled } from '../../model/facets';
import type { Search } from '../../model/filters';
import { count, plural } from '../../model/number';
import { oneLine } from '../../model/visible';

export function Facets({ events, search, place }: { events: EventRecord[]; search: Search; place: Place }) {
  const facets = facetsOf(events);
  if (facets.length === 0) return null;
  return (
    <details class="card facets" open={matchMedia('(min-width: 1280px)').matches}>
      <summary>
        Narrow down
        <span class="soft small"> of {plural(events.length, 'loaded event')}</span>
      </summary>
      {facets.map((facet) => (
        <section key={facet.filter} aria-label={facet.label}>
          <h3>{facet.label}</h3>
          <ul>
            {facet.values.map(({ value, count: events }) => {
              const isOn = search[facet.filter]?.includes(value) ?? false;
              return (
                <li key={value}>
                  <a
                    class="facet"
                    href={searchAddress(place, toggled(search, facet.filter, value))}
                    aria-current={isOn ? 'true' : undefined}
                  >
                    <span class="clip">{oneLine(value)}</span>
                    <span class="soft small">{count(events)}</span>
                  </a>
                </li>
              );
            })}
          </ul>
          {facet.more > 0 && <p class="soft small">{plural(facet.more, 'other')}</p>}
        </section>
      ))}
    </details>
  );
}
