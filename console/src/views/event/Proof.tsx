// Does this event stand in the log as it is shown? The checker says so, in this browser.
import type { ComponentChildren } from 'preact';
import type { EventRecord } from '../../api/types';
import { Icon, type IconName } from '../../components/Icon';
import { Alert, Failure, Waiting } from '../../components/States';
import { useEventCheck } from '../../hooks/check';
import { useLogHealth, useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { differences, type EventCheck } from '../../model/check';
import { count } from '../../model/number';
import { handle } from '../../model/record';

export function Proof({ record }: { record: EventRecord }) {
  const { name } = useLogPlace();
  const origin = useLogHealth(name).data?.origin ?? '';
  const {
    data: proof,
    error,
    refresh,
  } = useEventCheck(name, origin, {
    id: handle(record),
    index: record.index,
    content: true,
  });
  if (record.state === 'erased' || record.state === 'expired') {
    return (
      <Alert tone="warn">
        There is no record left to prove. Its entry is still in the public log, at index {record.index}.
      </Alert>
    );
  }
  if (error) return <Failure error={error} retry={refresh} />;
  if (!proof) return <Waiting what="and checking the proof" />;
  // What is compared is what this page shows, not what the server says when it is asked again.
  const altered = proof.checked ? differences(record, proof.checked) : [];
  return (
    <div class="stack">
      <Verdict proof={proof} altered={altered} />
      <ol class="steps">
        <Step tone={proof.verdict === 'fails' || proof.verdict === 'unreadable' ? 'bad' : 'good'}>
          <b>In the log.</b> The record gives the commitment of entry {count(record.index)}, and the entry is in the
          tree of {count(proof.size)} entries.
        </Step>
        <Step tone={altered.length > 0 ? 'bad' : 'good'}>
          <b>As shown.</b>{' '}
          {altered.length === 0
            ? 'What this page shows is what was sealed.'
            : `The server shows otherwise than sealed: ${altered.join(', ')}.`}
        </Step>
        <Step tone={proof.verdict === 'verified' ? 'good' : proof.verdict === 'consistent' ? 'warn' : 'bad'}>
          <b>Signed.</b>{' '}
          {proof.verdict === 'verified' ? 'By the key that you expect.' : 'By a key that the server named.'}{' '}
          {proof.verdict === 'consistent' && <a href={paths.integrity(name)}>Say which key you expect</a>}
        </Step>
        <Step tone="plain">
          <b>Not checked here:</b> that no other record was left out, and that everybody else is shown the same log.{' '}
          <code>tacho verify --since</code> and witnesses do that.
        </Step>
      </ol>
      {proof.notes.length > 0 && (
        <ul class="small soft">
          {proof.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <dl class="facts small">
        <dt>Tree</dt>
        <dd>{count(proof.size)} entries</dd>
        <dt>Root</dt>
        <dd class="mono">{proof.root}</dd>
      </dl>
    </div>
  );
}

function Verdict({ proof, altered }: { proof: EventCheck; altered: string[] }) {
  if (proof.verdict === 'fails' || proof.verdict === 'unreadable' || altered.length > 0) {
    return (
      <Alert tone="bad">
        <b>This event does not hold.</b>
        <ul>
          {proof.faults.map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      </Alert>
    );
  }
  if (proof.verdict === 'verified')
    return (
      <Alert tone="good">
        <b>Verified in this browser.</b>
      </Alert>
    );
  return (
    <Alert tone="warn">
      <b>Consistent.</b> It holds together, but nobody told this browser which key to expect.
    </Alert>
  );
}

const SIGNS: Record<string, IconName> = { good: 'good', bad: 'bad', warn: 'warn', plain: 'plain' };

export function Step({ tone, children }: { tone: 'good' | 'bad' | 'warn' | 'plain'; children: ComponentChildren }) {
  return (
    <li class={tone}>
      <Icon name={SIGNS[tone] ?? 'plain'} />
      <span>{children}</span>
    </li>
  );
}
