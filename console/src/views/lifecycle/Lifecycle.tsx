// The life cycle: what will go and when, what is held, what was erased. Here it is looked at only.
import { Tabs } from '../../components/Choice';
import { Empty, Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useErasures, useHolds, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { selection } from '../../model/selection';
import { count } from '../../model/number';
import { moment } from '../../model/time';
import { visible } from '../../model/visible';
import { Retention } from './Retention';
import { Tokens } from './Tokens';

const PARTS = [
  { id: 'retention', label: 'Retention' },
  { id: 'holds', label: 'Legal holds' },
  { id: 'erasures', label: 'Erasures' },
  { id: 'tokens', label: 'Tokens' },
];

export function Lifecycle({ place }: { place: Place }) {
  useTitle('Life cycle');
  const { may } = useLogPlace();
  const part = place.parameters.get('part') ?? 'retention';
  if (!may.has('ReadRetention'))
    return (
      <Empty icon="lifecycle" title="Not for your roles">
        An auditor, an operator and an admin see what is held and erased.
      </Empty>
    );
  return (
    <div class="page">
      <div class="head">
        <h1>Life cycle</h1>
      </div>
      <section class="card" aria-label="Life cycle">
        <Tabs
          label="Parts of the life cycle"
          options={PARTS}
          value={part}
          choose={(id) => go(withParameters(place, { part: id === 'retention' ? '' : id }), true)}
        />
        <div role="tabpanel" aria-label={PARTS.find((it) => it.id === part)?.label}>
          {part === 'retention' && <Retention />}
          {part === 'holds' && <Holds />}
          {part === 'erasures' && <Erasures />}
          {part === 'tokens' && <Tokens />}
        </div>
      </section>
    </div>
  );
}

function Holds() {
  const { name } = useLogPlace();
  const { data, error, refresh } = useHolds(name, true);
  if (error) return <Failure error={error} retry={refresh} />;
  if (!data) return <Waiting what="holds" />;
  if (data.holds.length === 0)
    return (
      <Empty icon="lifecycle" title="Nothing is held">
        <code>tacho hold add</code> puts records under a legal hold.
      </Empty>
    );
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Legal holds">
      <table class="plain">
        <thead>
          <tr>
            <th>Hold</th>
            <th>Since (UTC)</th>
            <th>What</th>
            <th>Why</th>
            <th>By</th>
            <th class="num">Record</th>
          </tr>
        </thead>
        <tbody>
          {data.holds.map((it) => (
            <tr key={it.hold}>
              <td class="mono">{it.hold}</td>
              <td class="mono">{moment(it.since)}</td>
              <td>{visible(selection(it.select))}</td>
              <td>{visible(it.reason)}</td>
              <td>{visible(it.by ?? '')}</td>
              <td class="num">
                <a href={paths.event(name, it.record)}>#{it.record}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Erasures() {
  const { name } = useLogPlace();
  const { data, error, refresh } = useErasures(name, true);
  if (error) return <Failure error={error} retry={refresh} />;
  if (!data) return <Waiting what="erasures" />;
  if (data.erasures.length === 0)
    return (
      <Empty icon="gone" title="Nothing was erased">
        <code>tacho erase</code> destroys content or records, with a reason that stays.
      </Empty>
    );
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Erasures">
      <table class="plain">
        <thead>
          <tr>
            <th>When (UTC)</th>
            <th>What</th>
            <th>Scope</th>
            <th class="num">Records</th>
            <th>Why</th>
            <th>By</th>
            <th class="num">Record</th>
          </tr>
        </thead>
        <tbody>
          {data.erasures.map((it) => (
            <tr key={it.record}>
              <td class="mono">{moment(it.at)}</td>
              <td>{visible(selection(it.select))}</td>
              <td>{it.scope}</td>
              <td class="num">
                {it.refused === undefined ? count(it.records) : <Tag tone="denied">refused: {it.refused}</Tag>}
              </td>
              <td>{visible([it.reason, it.ground].filter(Boolean).join('; '))}</td>
              <td>{visible(it.by ?? '')}</td>
              <td class="num">
                <a href={paths.event(name, it.record)}>#{it.record}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
