// One event, beside the list that it was chosen in: what it says, its content, its stored form, its proof.
import { useState } from 'preact/hooks';
import { Tabs } from '../../components/Choice';
import { Icon } from '../../components/Icon';
import { Failure, Waiting } from '../../components/States';
import { useEvent } from '../../hooks/events';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { ending, tone } from '../../model/record';
import { oneLine } from '../../model/visible';
import { Tag } from '../../components/Tag';
import { Content } from './Content';
import { Facts } from './Facts';
import { Proof } from './Proof';
import { Raw } from './Raw';
import { SealAlert, SealTag, useSeal } from './Seal';

const PARTS = [
  { id: 'facts', label: 'Details' },
  { id: 'content', label: 'Content' },
  { id: 'raw', label: 'Raw' },
  { id: 'proof', label: 'Proof' },
];

export function EventDetail({ id, close, first = 'facts' }: { id: string; close?: () => void; first?: string }) {
  const { name, may } = useLogPlace();
  const [part, setPart] = useState(first);
  const { data: record, error, refresh } = useEvent(name, id);
  const seal = useSeal(id, record, part === 'content');
  const parts = PARTS.filter(
    (it) => (it.id !== 'proof' || may.has('ReadProofs')) && (it.id !== 'content' || may.has('ReadContent')),
  );
  if (error) return <Failure error={error} retry={refresh} />;
  if (!record) return <Waiting what="the event" />;
  const end = ending(record);
  return (
    <section class="card" aria-label={`Event ${record.index}`}>
      <header>
        <h2 class="clip">
          <span class="soft">#{record.index}</span> {oneLine(record.event_type ?? 'record')}
        </h2>
        {end !== '' && <Tag tone={tone(record)}>{end}</Tag>}
        <SealTag seal={seal} />
        <div class="push line">
          {close && (
            <a class="small" href={paths.event(name, record.index)}>
              Open
            </a>
          )}
          {close && (
            <button
              type="button"
              class="button quiet icon"
              aria-label="Close the event"
              title="Close (Esc)"
              onClick={close}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      </header>
      <Tabs label="Parts of the event" options={parts} value={part} choose={setPart} />
      <div class="body" role="tabpanel" aria-label={parts.find((it) => it.id === part)?.label}>
        {part !== 'proof' && <SealAlert seal={seal} />}
        {part === 'facts' && <Facts record={record} />}
        {part === 'content' && <Content record={record} />}
        {part === 'raw' && <Raw record={record} />}
        {part === 'proof' && <Proof record={record} />}
      </div>
    </section>
  );
}
