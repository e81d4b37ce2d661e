// A trace over time: each event where it belongs, as long as it took.
import { useMemo } from 'preact/hooks';
import type { Trace } from '../../api/types';
import { Tag } from '../../components/Tag';
import { VirtualList } from '../../components/VirtualList';
import type { Place } from '../../hooks/route';
import { useSmallScreen } from '../../hooks/screen';
import { agentOf, ending, toolOf, tone } from '../../model/record';
import { duration } from '../../model/time';
import { oneLine } from '../../model/visible';
import { ticks, waterfall, type Row } from '../../model/waterfall';
import { choose, chosenIn } from '../event/Beside';
import { eventAddresses } from '../explore/EventTable';
import { useListKeys } from '../explore/Explore';

const INDENT_PX = 14;
const DEEPEST = 12;
const TALLEST_PX = 720;

interface Props {
  trace: Trace;
  place: Place;
}

export function WaterfallView({ trace, place }: Props) {
  const chosen = chosenIn(place);
  const { rows, span } = useMemo(() => waterfall(trace), [trace]);
  const scale = useMemo(() => ticks(span), [span]);
  const hrefOf = useMemo(() => eventAddresses(place), [place]);
  const rowHeight = useSmallScreen() ? 46 : 30;
  useListKeys(
    rows.map((row) => String(row.record.index)),
    chosen,
    (event) => choose(place, event),
  );
  return (
    <>
      <div class="row row-head fall-row">
        <span>Event</span>
        <span class="right">Took</span>
        <span class="fall-track">
          {scale.map((tick) => (
            <span key={tick} class="at" style={{ left: `${(100 * tick) / span}%` }}>
              {tick === span ? '' : duration(tick)}
            </span>
          ))}
        </span>
      </div>
      <VirtualList
        label="Events over time"
        count={rows.length}
        rowHeight={rowHeight}
        height={Math.min(rows.length * rowHeight + 2, TALLEST_PX)}
        row={(at, style) => {
          const row = rows[at];
          if (!row) return null;
          const index = String(row.record.index);
          return (
            <FallRow
              key={index}
              row={row}
              span={span}
              scale={scale}
              style={style}
              href={hrefOf(row.record.index)}
              isChosen={chosen === index}
            />
          );
        }}
      />
    </>
  );
}

interface FallProps {
  row: Row;
  span: number;
  scale: number[];
  style: { top: string; height: string };
  href: string;
  isChosen: boolean;
}

function FallRow({ row, span, scale, style, href, isChosen }: FallProps) {
  const { record, depth, start, isOpen } = row;
  const look = isOpen ? 'warn' : tone(record);
  const end = isOpen ? 'no outcome' : ending(record);
  const percent = (ms: number): string => `${Math.max(0, (100 * ms) / span)}%`;
  const name = toolOf(record) ?? record.action ?? record.event_type ?? record.state;
  return (
    <a class="row fall-row" style={style} href={href} aria-current={isChosen ? 'true' : undefined}>
      <span class="fall-name" style={{ paddingLeft: `${Math.min(depth, DEEPEST) * INDENT_PX}px` }}>
        <span class={`tick ${look}`} />
        <span class="clip">
          <b>{oneLine(name)}</b> <span class="soft">{oneLine(agentOf(record))}</span>
        </span>
        {look !== 'good' && look !== 'plain' && end !== '' && <Tag tone={look}>{end}</Tag>}
      </span>
      <span class="mono right soft">{duration(record.duration_ms)}</span>
      <span class="fall-track" aria-hidden="true">
        {scale.map((tick) => (
          <span key={tick} class="grid" style={{ left: percent(tick) }} />
        ))}
        <span
          class={`bar ${look} ${isOpen ? 'open' : ''}`}
          style={{ left: percent(start), width: percent(Math.max(row.duration, 0)) }}
        />
      </span>
    </a>
  );
}
