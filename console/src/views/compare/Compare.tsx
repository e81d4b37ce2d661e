// Two traces beside each other: which steps both have, which only one, and what differs in them. The other
// trace is chosen here; both stand in the address.
import { useMemo } from 'preact/hooks';
import type { Trace } from '../../api/types';
import { Card, Stat } from '../../components/Card';
import { Alert, Empty, Failure, Waiting } from '../../components/States';
import { useLogPlace, useSessions, useTrace } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { differenceOf, type Difference } from '../../model/difference';
import { count } from '../../model/number';
import { Beside } from '../event/Beside';
import { DifferenceTable } from './DifferenceTable';

export function Compare({ place }: { place: Place }) {
  useTitle('Compare');
  const left = place.parameters.get('left') ?? '';
  const right = place.parameters.get('right') ?? '';
  return (
    <div class="page">
      <div class="head">
        <h1>Compare</h1>
        <span class="sub">two traces, tasks or sessions, step by step</span>
      </div>
      <Choose left={left} right={right} place={place} />
      {left === '' || right === '' ? (
        <Card title="Differences" flush>
          <Empty icon="sessions" title="Two are needed">
            Give the ids of two traces, tasks or sessions: a run that failed, and one that did not.
          </Empty>
        </Card>
      ) : (
        <Beside place={place}>
          <Both left={left} right={right} place={place} key={`${left}\n${right}`} />
        </Beside>
      )}
    </div>
  );
}

function Choose({ left, right, place }: { left: string; right: string; place: Place }) {
  const { name } = useLogPlace();
  const sessions = useSessions(name).data?.sessions ?? [];
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string): string => {
      const value = form.get(field);
      return typeof value === 'string' ? value.trim() : '';
    };
    go(withParameters(place, { left: text('left'), right: text('right'), event_at: undefined }));
  };
  const field = (id: string, label: string, value: string) => (
    <label class="label grow">
      {label}
      <input
        class="field mono"
        name={id}
        defaultValue={value}
        key={value}
        list="known-sessions"
        required
        spellcheck={false}
        autocomplete="off"
      />
    </label>
  );
  return (
    <form class="line bottom" onSubmit={submit}>
      {field('left', 'The first', left)}
      {field('right', 'The second', right)}
      <button class="button primary">Compare</button>
      <datalist id="known-sessions">
        {sessions.slice(0, 200).map((it) => (
          <option key={it.session} value={it.session} />
        ))}
      </datalist>
    </form>
  );
}

function Both({ left, right, place }: { left: string; right: string; place: Place }) {
  const { name } = useLogPlace();
  // An id of a trace, or else of a task or a session. Content is not needed to compare.
  const [one, other] = [useTrace(name, 'traces', left, false), useTrace(name, 'traces', right, false)];
  if (one.error) return <Failure error={one.error} retry={one.refresh} />;
  if (other.error) return <Failure error={other.error} retry={other.refresh} />;
  if (!one.data || !other.data) return <Waiting what="both traces" />;
  return <Laid left={one.data} right={other.data} place={place} />;
}

function Laid({ left, right, place }: { left: Trace; right: Trace; place: Place }) {
  const difference = useMemo(() => differenceOf(left, right), [left, right]);
  return (
    <div class="stack">
      <Figures difference={difference} />
      {difference.isApproximate && (
        <Alert tone="warn">These are too long to find every step that both have: more may be the same.</Alert>
      )}
      <Card title="Steps" flush>
        <DifferenceTable difference={difference} place={place} />
      </Card>
    </div>
  );
}

function Figures({ difference }: { difference: Difference }) {
  return (
    <div class="cols">
      <Stat label="Steps that both have" value={count(difference.common)} />
      <Stat
        label="Of them, that differ"
        value={count(difference.changed)}
        {...(difference.changed > 0 ? { tone: 'bad' as const } : {})}
      />
      <Stat label="Only in the first" value={count(difference.onlyLeft)} />
      <Stat label="Only in the second" value={count(difference.onlyRight)} />
    </div>
  );
}
