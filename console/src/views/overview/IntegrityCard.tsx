// How the log is, in a few lines, and when this browser last checked it.
import type { LogHealth } from '../../api/types';
import { Card } from '../../components/Card';
import { Tag } from '../../components/Tag';
import { useLogPlace } from '../../hooks/log';
import { keptCheckpoint } from '../../hooks/kept';
import { paths } from '../../hooks/paths';
import { bytes, count, plural } from '../../model/number';
import { ago } from '../../model/time';

export function IntegrityCard({ health }: { health: LogHealth }) {
  const { name } = useLogPlace();
  const kept = keptCheckpoint(health.origin);
  return (
    <Card
      title="The log"
      width="w4"
      aside={
        <a class="small" href={paths.integrity(name)}>
          Check it yourself
        </a>
      }
    >
      <dl class="facts">
        <dt>Takes events</dt>
        <dd>
          {health.status === 'up' ? <Tag tone="good">yes</Tag> : <Tag tone="bad">no</Tag>} {health.reason}
        </dd>
        <dt>Entries</dt>
        <dd>{count(health.size)}</dd>
        <dt>Since its start</dt>
        <dd>
          {plural(health.events_since_start, 'event')}, {bytes(health.bytes_written)}
        </dd>
        <dt>Room on the disk</dt>
        <dd>{health.disk_free_bytes === undefined ? 'not known' : bytes(health.disk_free_bytes)}</dd>
        <dt>Checked here</dt>
        <dd>{kept ? `${ago(kept.at, Date.now())}, at ${count(kept.size)} entries` : 'never by this browser'}</dd>
      </dl>
    </Card>
  );
}
