// "Check it yourself": the steps of an inspection, what each found, and what none of them can find.
import type { LogHealth } from '../../api/types';
import { Card } from '../../components/Card';
import { Icon } from '../../components/Icon';
import { Alert, Failure } from '../../components/States';
import { useInspection, type Inspection } from '../../hooks/inspection';
import { keptCheckpoint } from '../../hooks/kept';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { count, plural } from '../../model/number';
import { ago } from '../../model/time';
import { Step } from '../event/Proof';

export function SelfCheck({ health }: { health: LogHealth }) {
  const { name, may } = useLogPlace();
  const [inspection, inspect] = useInspection(name, health.origin);
  const kept = keptCheckpoint(health.origin);
  const { state, error } = inspection;
  if (!may.has('ReadProofs'))
    return (
      <Card title="Check it yourself" width="w12">
        <p>
          Your roles do not allow proofs. <code>tacho verify</code> checks the public log.
        </p>
      </Card>
    );
  return (
    <Card
      title="Check it yourself"
      width="w12"
      aside={
        <button type="button" class="button primary" disabled={state === 'running'} onClick={() => void inspect()}>
          <Icon name="integrity" />
          {state === 'running' ? 'Checking' : state === 'done' ? 'Check again' : 'Check now'}
        </button>
      }
    >
      <div class="stack" aria-live="polite">
        <p class="soft">
          This browser fetches evidence and checks it by itself.{' '}
          {kept
            ? `It last saw the log ${ago(kept.at, Date.now())}, with ${count(kept.size)} entries.`
            : 'It has not seen this log yet, and will keep what it sees now.'}
        </p>
        {error && <Failure error={error} retry={() => void inspect()} />}
        {state !== 'idle' && <Steps inspection={inspection} />}
        {state === 'done' && !error && <Verdict inspection={inspection} />}
        <ul class="steps small soft">
          <Step tone="plain">
            <b>Not checked here:</b> every record (<code>tacho verify</code> reads all of them), that no record of a
            session was left out (a bundle shows that), and that others are shown the same log (witnesses, once there
            are some).
          </Step>
          <Step tone="plain">
            The checker comes from this server, like the page. Whoever does not trust that checks with a{' '}
            <code>tacho</code> of their own.
          </Step>
        </ul>
      </div>
    </Card>
  );
}

function Steps({ inspection: { first, before, growth, samples, state } }: { inspection: Inspection }) {
  const { name } = useLogPlace();
  const signed = first?.verdict === 'verified' ? 'good' : first?.verdict === 'consistent' ? 'warn' : 'bad';
  const failed = samples.filter(
    (it) => it.check && it.check.verdict !== 'verified' && it.check.verdict !== 'consistent',
  );
  const held = samples.filter((it) => it.check).length - failed.length;
  return (
    <ol class="steps">
      {first && (
        <Step tone={signed}>
          <b>Signature.</b> The checkpoint of {count(first.size)} entries is{' '}
          {first.verdict === 'verified'
            ? 'signed by the key that you expect.'
            : first.verdict === 'consistent'
              ? 'signed by the key that the server names. Say below which key you expect.'
              : `not good: ${first.faults.join('; ')}`}
        </Step>
      )}
      {growth && before && (
        <Step tone={growth.holds ? 'good' : 'bad'}>
          <b>Growth.</b>{' '}
          {growth.holds
            ? `The ${count(before.size)} entries that this browser saw are all there, unchanged and in their places.`
            : `${growth.why}.`}
        </Step>
      )}
      {growth && !before && (
        <Step tone="plain">
          <b>Growth.</b> Nothing to compare with yet.
        </Step>
      )}
      {samples.length > 0 && (
        <Step tone={failed.length > 0 ? 'bad' : 'good'}>
          <b>Records.</b> {plural(held, 'record')} picked by this browser {held === 1 ? 'is' : 'are'} in the log as
          sealed
          {samples.length > held + failed.length
            ? `; ${count(samples.length - held - failed.length)} could not be looked at (removed, or not for you)`
            : ''}
          .
          {failed.map((it) => (
            <div key={it.index}>
              <a href={paths.event(name, it.index)}>#{it.index}</a> {it.why}
            </div>
          ))}
        </Step>
      )}
      {state === 'running' && <Step tone="plain">Checking …</Step>}
    </ol>
  );
}

function Verdict({ inspection: { first, growth, samples } }: { inspection: Inspection }) {
  const isGood = (verdict: string | undefined): boolean => verdict === 'verified' || verdict === 'consistent';
  const holds =
    isGood(first?.verdict) && growth?.holds === true && samples.every((it) => !it.check || isGood(it.check.verdict));
  if (!holds)
    return (
      <Alert tone="bad">
        <b>This log does not hold.</b> Keep what you have, and run <code>tacho verify --since</code> with a receipt or
        checkpoint of your own.
      </Alert>
    );
  if (first?.verdict === 'consistent')
    return (
      <Alert tone="warn">
        <b>Consistent.</b> Everything fits together; say which key you expect to make it verified.
      </Alert>
    );
  return (
    <Alert tone="good">
      <b>Verified by this browser</b>, as far as it looked.
    </Alert>
  );
}
