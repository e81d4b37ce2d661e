// The newest events that failed or took too long, each a step away from its trace.
import { Card } from '../../components/Card';
import { Empty, Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useFew } from '../../hooks/events';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { agentOf, ending, happened, toolOf, tone } from '../../model/record';
import { moment } from '../../model/time';
import { oneLine } from '../../model/visible';

export function RecentErrors({ range, every }: { range: string | undefined; every: number }) {
  const { name } = useLogPlace();
  const search = { outcome: ['failure', 'timeout', 'denied'], ...(range === undefined ? {} : { from: range }) };
  const { data, error, refresh } = useFew(name, search, 8, every);
  const all = `outcome=failure&outcome=timeout&outcome=denied${range === undefined ? '' : `&from=${range}`}`;
  return (
    <Card
      title="Recent errors and denials"
      width="w8"
      flush
      aside={
        <a class="small" href={paths.explore(name, all)}>
          All of them
        </a>
      }
    >
      {error && (
        <div class="body">
          <Failure error={error} retry={refresh} />
        </div>
      )}
      {!data && !error && <Waiting what="errors" />}
      {data?.events.length === 0 && (
        <Empty icon="good" title="No errors">
          Nothing failed, took too long or was denied.
        </Empty>
      )}
      {data && data.events.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Recent errors and denials">
          <table class="plain">
            <thead>
              <tr>
                <th>Time (UTC)</th>
                <th>Agent</th>
                <th>What</th>
                <th>Outcome</th>
                <th class="hide-small">Error</th>
              </tr>
            </thead>
            <tbody>
              {data.events.map((record) => (
                <tr key={record.index}>
                  <td class="mono">{moment(happened(record))}</td>
                  <td>{oneLine(agentOf(record))}</td>
                  <td>
                    <a
                      href={
                        record.trace_id
                          ? `${paths.trace(name, record.trace_id)}?event_at=${record.index}`
                          : paths.event(name, record.index)
                      }
                    >
                      {oneLine(toolOf(record) ?? record.action ?? record.event_type ?? '')}
                    </a>
                  </td>
                  <td>
                    <Tag tone={tone(record)}>{ending(record)}</Tag>
                  </td>
                  <td class="hide-small">{oneLine(record.error_type ?? '')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
