// A trace step by step: what was known when each step was taken, and how far everything was by then.
import { useMemo } from 'preact/hooks';
import type { EventRecord, Trace } from '../../api/types';
import { Segments } from '../../components/Choice';
import { Empty } from '../../components/States';
import { Tag } from '../../components/Tag';
import { Value } from '../../components/Value';
import { useShortcuts } from '../../hooks/keys';
import { go, withParameters, type Place } from '../../hooks/route';
import { count, plural } from '../../model/number';
import { agentOf, ending, redacted, summary, tone, toolOf } from '../../model/record';
import { Replay, sinceBegin, type Progress, type ReplayStep, type Told } from '../../model/replay';
import { duration } from '../../model/time';
import { oneLine } from '../../model/visible';

const KNOWN_SHOWN_MAX = 30;
const STEPS = [
  { id: 'decisions', label: 'Decisions' },
  { id: 'all', label: 'Every event' },
];

export function ReplayView({ trace, place }: { trace: Trace; place: Place }) {
  const every = place.parameters.get('steps') === 'all';
  const replay = useMemo(() => new Replay(trace, every), [trace, every]);
  const last = replay.steps.length - 1;
  const asked = Number(place.parameters.get('step') ?? 1) - 1;
  const at = Number.isInteger(asked) ? Math.max(0, Math.min(asked, last)) : 0;
  const to = (next: number): void => {
    if (next >= 0 && next <= last) go(withParameters(place, { step: next === 0 ? '' : String(next + 1) }), true);
  };
  const shortcuts = useMemo(
    () => ({ j: () => to(at + 1), k: () => to(at - 1), ArrowRight: () => to(at + 1), ArrowLeft: () => to(at - 1) }),
    [at, last, place],
  );
  useShortcuts(shortcuts);
  const step = replay.step(at);
  if (!step) return <Empty title="No step">No event of this trace has a place in it.</Empty>;
  const progress = replay.progress(at);
  return (
    <div class="stack pad">
      <Controls at={at} last={last} to={to} place={place} isOfDecisions={replay.isOfDecisions} />
      <div class="replay">
        <StepView step={step} first={trace.events[0]} place={place} />
        <ProgressView progress={progress} place={place} />
      </div>
    </div>
  );
}

interface ControlsProps {
  at: number;
  last: number;
  to: (step: number) => void;
  place: Place;
  isOfDecisions: boolean;
}

function Controls({ at, last, to, place, isOfDecisions }: ControlsProps) {
  return (
    <div class="line">
      <button type="button" class="button" disabled={at === 0} title="Step back (k or ←)" onClick={() => to(at - 1)}>
        Back
      </button>
      <button
        type="button"
        class="button primary"
        disabled={at === last}
        title="Next step (j or →)"
        onClick={() => to(at + 1)}
      >
        Next
      </button>
      <label class="line small">
        <span role="status">
          Step {count(at + 1)} of {count(last + 1)}
        </span>
        <input
          type="range"
          aria-label="Step"
          min={1}
          max={last + 1}
          value={at + 1}
          onInput={(event) => to(Number(event.currentTarget.value) - 1)}
        />
      </label>
      <span class="push">
        <Segments
          label="What is a step"
          options={STEPS}
          value={isOfDecisions ? 'decisions' : 'all'}
          choose={(id) => go(withParameters(place, { steps: id === 'all' ? 'all' : '', step: '' }), true)}
        />
      </span>
    </div>
  );
}

function StepView({ step, first, place }: { step: ReplayStep; first: EventRecord | undefined; place: Place }) {
  const { record } = step;
  const end = ending(record);
  const since = first ? sinceBegin(first, record) : NaN;
  return (
    <section class="stack" aria-label="The step">
      <div class="line">
        <h2>
          <a href={withParameters(place, { event_at: String(record.index) })}>
            {oneLine(toolOf(record) ?? record.action ?? record.event_type ?? 'record')}
          </a>
        </h2>
        {end !== '' && <Tag tone={tone(record)}>{end}</Tag>}
        <span class="soft">
          {oneLine(agentOf(record))}
          {Number.isFinite(since) ? `, ${duration(Math.max(0, since))} after it began` : ''}
        </span>
      </div>
      <Part title="Asked" told={step.input ? [step.input] : []} place={place} />
      <Part title="Knew" told={step.context} place={place} />
      <Part title="Thought" told={step.reasoning} place={place} />
      <Part title="Did" told={step.own} place={place} />
      {step.known.length > 0 && (
        <div>
          <h3>Had seen before</h3>
          <ul class="dots">
            {step.known.slice(-KNOWN_SHOWN_MAX).map((it) => (
              <li key={it.index}>
                <EventName record={it} place={place} />
              </li>
            ))}
          </ul>
          {step.known.length > KNOWN_SHOWN_MAX && (
            <p class="soft small">and {plural(step.known.length - KNOWN_SHOWN_MAX, 'earlier event')}</p>
          )}
        </div>
      )}
    </section>
  );
}

function Part({ title, told, place }: { title: string; told: Told[]; place: Place }) {
  if (told.length === 0) return null;
  return (
    <div class="stack">
      <h3>{title}</h3>
      {told.map((it) => (
        <div key={`${it.record.index}${it.label}`}>
          <span class="soft small">
            {it.label}, <EventName record={it.record} place={place} />
          </span>
          <Value value={it.value} rules={new Set(redacted(it.record).map((one) => one.rule))} />
        </div>
      ))}
    </div>
  );
}

function EventName({ record, place }: { record: EventRecord; place: Place }) {
  return (
    <a href={withParameters(place, { event_at: String(record.index) })}>
      #{record.index} {oneLine(summary(record).slice(0, 80) || (record.event_type ?? ''))}
    </a>
  );
}

function ProgressView({ progress, place }: { progress: Progress; place: Place }) {
  return (
    <section class="stack" aria-label="How far everything was">
      <h2>By then</h2>
      <dl class="facts">
        <dt>Events</dt>
        <dd>{count(progress.events)}</dd>
        <dt>Errors</dt>
        <dd class={progress.errors > 0 ? 'bad-text' : ''}>{count(progress.errors)}</dd>
        <dt>Tokens</dt>
        <dd>{count(progress.tokens)}</dd>
        <dt>Not concluded</dt>
        <dd>
          {progress.open.length === 0
            ? 'nothing'
            : progress.open.map((it) => <EventName key={it.index} record={it} place={place} />)}
        </dd>
      </dl>
      <h3>Each agent's last act</h3>
      <ul class="stack">
        {progress.agents.map((it) => (
          <li key={it.name}>
            <b>{oneLine(it.name)}</b> <EventName record={it.record} place={place} />
          </li>
        ))}
      </ul>
    </section>
  );
}
