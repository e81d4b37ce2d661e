// The live feed: events as the log takes them. Pausing stops the rows, not the feed; going on shows what
// came meanwhile, and what was missed is said in its place.
import { useMemo, useState } from 'preact/hooks';
import { Card } from '../../components/Card';
import { Icon } from '../../components/Icon';
import { Empty, Failure } from '../../components/States';
import { Tag } from '../../components/Tag';
import { VirtualList } from '../../components/VirtualList';
import { useShortcuts } from '../../hooks/keys';
import { useLive } from '../../hooks/live';
import { useLogHealth, useLogPlace } from '../../hooks/log';
import type { Place } from '../../hooks/route';
import { useSmallScreen, useTitle } from '../../hooks/screen';
import { searchOf, showsOwn } from '../../model/filters';
import { count, plural } from '../../model/number';
import { Beside, chosenIn } from '../event/Beside';
import { EventRow, ROW_PX, TALL_ROW_PX, eventAddresses } from '../explore/EventTable';
import { FilterBar } from '../explore/FilterBar';

/** How many entries before the end the feed begins. */
const BEFORE = 100;

export function Live({ place }: { place: Place }) {
  useTitle('Live');
  const { name } = useLogPlace();
  const size = useLogHealth(name).data?.size;
  // Where it begins is decided once; a feed that moves its beginning would begin again and again.
  const [from] = useState(() => (size === undefined ? undefined : Math.max(0, size - BEFORE)));
  const search = searchOf(place.parameters);
  const feed = useLive(name, search, from, showsOwn(place.parameters, search));
  const { rows } = feed;
  const hrefOf = useMemo(() => eventAddresses(place), [place]);
  const rowHeight = useSmallScreen() ? TALL_ROW_PX : ROW_PX;
  const chosen = chosenIn(place);
  const shortcuts = useMemo(() => ({ p: () => feed.pause(!feed.isPaused) }), [feed.isPaused]);
  useShortcuts(shortcuts);
  return (
    <div class="page">
      <div class="head">
        <h1>Live</h1>
        <span class="sub" role="status">
          {feed.state === 'open' ? (
            <Tag tone="good">connected</Tag>
          ) : (
            <Tag tone={feed.state === 'lost' ? 'bad' : 'plain'}>{feed.state}</Tag>
          )}{' '}
          {count(feed.rate)} events/s, {plural(feed.seen, 'event')} seen
          {feed.missed > 0 ? `, ${count(feed.missed)} missed` : ''}
        </span>
        <div class="push line">
          <button type="button" class="button quiet" onClick={feed.clear}>
            Clear
          </button>
          <button
            type="button"
            class={feed.isPaused ? 'button primary' : 'button'}
            aria-pressed={feed.isPaused}
            title="Pause or go on (p)"
            onClick={() => feed.pause(!feed.isPaused)}
          >
            <Icon name={feed.isPaused ? 'play' : 'pause'} />
            {feed.isPaused ? (feed.waiting > 0 ? `Show ${plural(feed.waiting, 'new event')}` : 'Go on') : 'Pause'}
          </button>
        </div>
      </div>
      <FilterBar place={place} search={search} mayReadContent={false} hasTime={false} />
      {feed.error && feed.state !== 'open' && <Failure error={feed.error} />}
      <Beside place={place}>
        <Card title="Events as they come" flush aside={<span class="small soft">newest below</span>}>
          {rows.length === 0 ? (
            <Empty icon="live" title="Waiting for events">
              They appear here as soon as the log has them on disk.
            </Empty>
          ) : (
            <VirtualList
              label="Events as they come"
              count={rows.length}
              rowHeight={rowHeight}
              height="calc(100vh - 250px)"
              follow={!feed.isPaused}
              row={(at, style) => {
                const row = rows[at];
                if (!row) return null;
                if ('missed' in row)
                  return (
                    <div key={row.key} class="row gap-row" style={style}>
                      {plural(row.missed, 'event')} came too fast to be shown. Explore has them.
                    </div>
                  );
                const id = String(row.record.index);
                return (
                  <EventRow
                    key={row.key}
                    record={row.record}
                    style={style}
                    isChosen={chosen === id}
                    href={hrefOf(row.record.index)}
                  />
                );
              }}
            />
          )}
        </Card>
      </Beside>
    </div>
  );
}
