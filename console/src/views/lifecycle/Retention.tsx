// What is kept for how long, and what goes when: the server's plan.
import { Empty, Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useLogPlace, useRetention } from '../../hooks/log';
import { cellText, titleOf } from '../../model/reportParts';
import { duration, moment } from '../../model/time';
import { visible } from '../../model/visible';

export function Retention() {
  const { name } = useLogPlace();
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
