// Explore: search by filters and text, a table of any length, and the chosen event beside it. All of
// what is asked for stands in the address.
import { useEffect, useMemo } from 'preact/hooks';
import { Segments } from '../../components/Choice';
import { Card } from '../../components/Card';
import { Download } from '../../components/Download';
import { Icon } from '../../components/Icon';
import { Empty, Failure, Waiting } from '../../components/States';
import { useColumns } from '../../hooks/choices';
import { useSearch } from '../../hooks/events';
import { useLogPlace } from '../../hooks/log';
import { useShortcuts } from '../../hooks/keys';
import { downloadEvents } from '../../hooks/download';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { searchOf, showsOwn } from '../../model/filters';
import { count, plural } from '../../model/number';
import { Beside, choose, chosenIn } from '../event/Beside';
import { EventTable } from './EventTable';
import { Facets } from './Facets';
import { FilterBar } from './FilterBar';
import { SqlView } from './SqlView';
import { ColumnMenu, SavedViewMenu } from './ViewMenus';

/** Rows that fill a screen, and pages that are asked for to find as many. */
const ROWS_WANTED = 40;
const PAGES_ALONE_MAX = 12;

/** Searches by filters, and by SQL where the server has it and the caller may. */
export function Explore({ place }: { place: Place }) {
  useTitle('Explore');
  const { may, sql } = useLogPlace();
  const part = place.parameters.get('part') === 'sql' ? 'sql' : 'search';
  const isOffered = sql && may.has('RunSql');
  return (
    <div class="page">
      {(isOffered || part === 'sql') && (
        <div class="line">
          <Segments
            label="Ways to ask"
            value={part}
            options={[
              { id: 'search', label: 'Filters' },
              { id: 'sql', label: 'SQL' },
            ]}
            choose={(id) => go(withParameters(place, { part: id === 'sql' ? 'sql' : '', event_at: undefined }))}
          />
        </div>
      )}
      {part === 'sql' ? (
        <>
          <div class="head">
            <h1>SQL</h1>
          </div>
          <section class="card" aria-label="SQL">
            <SqlView place={place} />
          </section>
        </>
      ) : (
        <SearchPage place={place} />
      )}
    </div>
  );
}

function SearchPage({ place }: { place: Place }) {
  const { name, may } = useLogPlace();
  const columns = useColumns();
  const search = searchOf(place.parameters);
  const content = place.parameters.get('content') === '1' || search.text !== undefined;
  const {
    data: pages,
    error,
    isLoading,
    isRefreshing,
    refresh,
    hasMore,
    more,
  } = useSearch(name, search, content && may.has('ReadContent'));
  const isOwnShown = showsOwn(place.parameters, search);
  const events = useMemo(
    () => pages?.flatMap((page) => page.events).filter((it) => isOwnShown || it.kind !== 'log') ?? [],
    [pages, isOwnShown],
  );
  // A quiet log has pages of nothing but its own heartbeats: look on by itself, though not without end.
  const isThin = hasMore && events.length < ROWS_WANTED && (pages?.length ?? 0) < PAGES_ALONE_MAX;
  useEffect(() => {
    if (isThin) more();
  }, [isThin, pages?.length]);
  const chosen = chosenIn(place);
  useListKeys(
    events.map((record) => String(record.index)),
    chosen,
    (id) => choose(place, id),
  );
  const checkpoint = pages?.[0]?.checkpoint;
  return (
    <>
      <div class="head">
        <h1>Explore</h1>
        {checkpoint && (
          <span class="sub">
            {hasMore ? `first ${count(events.length)} events` : plural(events.length, 'event')}, as of{' '}
            {count(checkpoint.size)} entries
          </span>
        )}
        <div class="push line">
          <Segments
            label="Order"
            value={search.order ?? 'newest'}
            options={[
              { id: 'newest', label: 'Newest' },
              { id: 'oldest', label: 'Oldest' },
            ]}
            choose={(id) => go(withParameters(place, { order: id === 'newest' ? '' : id }))}
          />
          <button
            type="button"
            class="button icon"
            aria-label="Search again"
            title="Search again"
            disabled={isRefreshing}
            onClick={refresh}
          >
            <Icon name="refresh" />
          </button>
          <SavedViewMenu place={place} key={name} />
          <ColumnMenu columns={columns} />
          <span class="hide-small">
            <Download
              label="NDJSON"
              title="The first 10,000 of them, as shown"
              fetch={() => downloadEvents(name, search, content && may.has('ReadContent'))}
            />
          </span>
        </div>
      </div>
      <FilterBar place={place} search={search} mayReadContent={may.has('ReadContent')} />
      <Beside place={place} alone="faceted">
        {chosen === undefined && <Facets events={events} search={search} place={place} />}
        <Card title="Events" flush>
          {error && (
            <div class="body">
              <Failure error={error} retry={refresh} />
            </div>
          )}
          {(isLoading || (isThin && events.length === 0)) && <Waiting what="events" />}
          {pages && events.length === 0 && !isThin && (
            <Empty icon="explore" title="No event fits">
              {hasMore ? (
                <button type="button" class="button" onClick={more}>
                  Look further
                </button>
              ) : (
                'Take a filter away, or look at a longer time.'
              )}
            </Empty>
          )}
          {events.length > 0 && (
            <EventTable
              label="Events"
              events={events}
              chosen={chosen}
              place={place}
              nearEnd={more}
              height="calc(100vh - 250px)"
              columns={columns.chosen}
            />
          )}
        </Card>
      </Beside>
    </>
  );
}

/** `j` and `k` go through a list. */
export function useListKeys(ids: string[], chosen: string | undefined, choose: (id: string) => void): void {
  const shortcuts = useMemo(() => {
    const move = (step: number) => (): void => {
      const at = chosen === undefined ? -1 : ids.indexOf(chosen);
      const next = ids[at < 0 ? 0 : Math.max(0, Math.min(ids.length - 1, at + step))];
      if (next !== undefined) choose(next);
    };
    return { j: move(1), k: move(-1) };
  }, [ids.length, ids[0], chosen]);
  useShortcuts(shortcuts);
}
