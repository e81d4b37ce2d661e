// The steps of two traces side by side: a row for each step, what differs in it said in words.
import { VirtualList } from '../../components/VirtualList';
import { Tag, type TagTone } from '../../components/Tag';
import { withParameters, type Place } from '../../hooks/route';
import { useSmallScreen } from '../../hooks/screen';
import type { Difference, DifferenceRow, Step } from '../../model/difference';
import { toneOf } from '../../model/incident';
import { oneLine } from '../../model/visible';

const ROW_PX = 54;
const TALL_ROW_PX = 92;
const TALLEST_PX = 720;

export function DifferenceTable({ difference: { rows }, place }: { difference: Difference; place: Place }) {
  const rowHeight = useSmallScreen() ? TALL_ROW_PX : ROW_PX;
  return (
    <>
      <div class="row row-head diff-row">
        <span>The first</span>
        <span />
        <span>The second</span>
      </div>
      <VirtualList
        label="Steps of both"
        count={rows.length}
        rowHeight={rowHeight}
        height={Math.min(rows.length * rowHeight + 2, TALLEST_PX)}
        row={(at, style) => {
          const row = rows[at];
          return row && <Row key={at} row={row} style={style} place={place} />;
        }}
      />
    </>
  );
}

const signOf = (row: DifferenceRow): { word: string; tone: TagTone } => {
  if (!row.right) return { word: 'only first', tone: 'warn' };
  if (!row.left) return { word: 'only second', tone: 'warn' };
  return row.changes.length > 0 ? { word: 'differs', tone: 'bad' } : { word: 'same', tone: 'plain' };
};

function Row({ row, style, place }: { row: DifferenceRow; style: { top: string; height: string }; place: Place }) {
  const sign = signOf(row);
  const changes = row.changes.map((it) => `${it.field}: ${it.left || 'none'} → ${it.right || 'none'}`).join('; ');
  return (
    <div class={`row diff-row ${sign.tone === 'plain' ? '' : sign.tone}`} style={style}>
      <Side step={row.left} place={place} />
      <span class="diff-sign">
        <Tag tone={sign.tone}>{sign.word}</Tag>
        {changes !== '' && (
          <span class="small clip" title={oneLine(changes)}>
            {oneLine(changes)}
          </span>
        )}
      </span>
      <Side step={row.right} place={place} />
    </div>
  );
}

function Side({ step, place }: { step: Step | undefined; place: Place }) {
  if (!step) return <span class="soft">—</span>;
  const { node } = step;
  const look = toneOf(node.status);
  return (
    <a class="diff-side" href={withParameters(place, { event_at: String(node.index) })}>
      <span class="clip">
        <b>{oneLine(node.label)}</b>
      </span>
      <span class="clip small soft">
        {oneLine(node.agent)} {look !== 'plain' && <Tag tone={look}>{node.status}</Tag>}
      </span>
    </a>
  );
}
