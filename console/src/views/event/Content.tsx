// What an event holds beside its metadata. Whoever looks at it is in the log (`log.access`).
import type { EventRecord } from '../../api/types';
import { Empty } from '../../components/States';
import { Value } from '../../components/Value';
import { redacted } from '../../model/record';
import { visible } from '../../model/visible';

const ORDER = ['input', 'message', 'messages', 'reasoning', 'params', 'result', 'output', 'error'];
const place = (name: string): number => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1);

export function Content({ record }: { record: EventRecord }) {
  const entries = Object.entries(record.content ?? {}).sort(([one], [other]) => place(one) - place(other));
  if (entries.length === 0) {
    return (
      <Empty icon="gone" title="No content">
        {record.state === 'present' ? 'This event has metadata only.' : 'It is no longer in the log.'}
      </Empty>
    );
  }
  const rules = new Set(redacted(record).map((it) => it.rule));
  return (
    <div class="stack">
      {entries.map(([name, value]) => (
        <div key={name}>
          <h3>{visible(name)}</h3>
          <Value value={value} rules={rules} />
        </div>
      ))}
    </div>
  );
}
