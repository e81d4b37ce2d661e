// What is kept for how long, and what goes when: the server's plan.
import { useState } from 'preact/hooks';
import type { Plan } from '../../api/types';
import { Dialog } from '../../components/Dialog';
import { Alert, Empty, Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useLogPlace, useRetention } from '../../hooks/log';
import { useExpire } from '../../hooks/lifecycle';
import { count, plural } from '../../model/number';
import { cellText, titleOf } from '../../model/reportParts';
import { duration, moment } from '../../model/time';
import { visible } from '../../model/visible';

export function Retention() {
  const { name, may } = useLogPlace();
  const { data: plan, error, refresh } = useRetention(name, true);
  if (error) return <Failure error={error} retry={refresh} />;
  if (!plan) return <Waiting what="the plan" />;
  const { profile, days } = plan.policy as { profile?: string; days?: Record<string, number | null> };
  const columns = [...new Set(plan.classes.flatMap((it) => Object.keys(it)))];
  return (
    <>
      <div class="body stack pad">
        <dl class="facts">
          <dt>Profile</dt>
          <dd>{profile ?? 'none'}</dd>
          {Object.entries(days ?? {}).map(([tier, value]) => (
            <>
              <dt>{titleOf(tier)}</dt>
              <dd>{value === null ? 'for ever' : `${value} days`}</dd>
            </>
          ))}
          <dt>By itself</dt>
          <dd>
            {plan.schedule.on ? (
              <Tag tone="good">on, looked at every {duration(plan.schedule.every_s * 1_000)}</Tag>
            ) : (
              <Tag>off: nothing goes unless somebody says so</Tag>
            )}
          </dd>
          <dt>Planned</dt>
          <dd>{moment(plan.clock)} UTC</dd>
        </dl>
        {may.has('ManageRetention') && <LetGo plan={plan} />}
      </div>
      {plan.classes.length === 0 ? (
        <Empty icon="lifecycle" title="Nothing is due">
          No records have left the journal yet, so none can expire.
        </Empty>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="What goes when">
          <table class="plain">
            <thead>
              <tr>
                {columns.map((it) => (
                  <th key={it}>{titleOf(it)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {plan.classes.map((row, at) => (
                <tr key={at}>
                  {columns.map((it) => (
                    <td key={it}>{visible(cellText(row[it], it))}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Letting go what is due, now and by hand. */
function LetGo({ plan }: { plan: Plan }) {
  const { name } = useLogPlace();
  const [isAsking, setAsking] = useState(false);
  const expire = useExpire(name);
  const due = plan.classes.filter((it) => it['is_due'] === true);
  const going = due.reduce((sum, it) => sum + (typeof it['going'] === 'number' ? it['going'] : 0), 0);
  const letGo = async (): Promise<void> => {
    if (await expire.run()) setAsking(false);
  };
  return (
    <div class="line">
      <button type="button" class="button" disabled={going === 0} onClick={() => setAsking(true)}>
        Let go what is due
      </button>
      <span class="soft small">
        {expire.done
          ? `${plural(expire.done.records, 'record')} went, ${count(expire.done.held)} are held.`
          : going === 0
            ? 'Nothing is due.'
            : `${plural(going, 'record')} would go.`}
      </span>
      {isAsking && (
        <Dialog title="Let go what is due" close={() => setAsking(false)}>
          <Alert tone="bad">
            {plural(going, 'record')} in {plural(due.length, 'tier and day', 'tiers and days')} go for good, as the
            policy says. What is held stays. Their public entries stay, and every proof stays valid.
          </Alert>
          {expire.error && <Failure error={expire.error} />}
          <div class="line">
            <button type="button" class="button danger" disabled={expire.isBusy} onClick={() => void letGo()}>
              Let them go
            </button>
            <button type="button" class="button" onClick={() => setAsking(false)}>
              Leave it
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
