// The life cycle: what will go and when, what is held, what was erased; and acting on it, for those who may.
import { Tabs } from '../../components/Choice';
import { Empty } from '../../components/States';
import { useLogPlace } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { Erasures } from './Erasures';
import { Holds } from './Holds';
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
