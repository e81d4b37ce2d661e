// The metadata of an event: who, what, when, how it ended, and what it belongs to.
import type { ComponentChildren } from 'preact';
import type { EventRecord } from '../../api/types';
import { Copy } from '../../components/Copy';
import { Alert } from '../../components/States';
import { Tag } from '../../components/Tag';
import { useLogPlace } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { count } from '../../model/number';
import { agentOf, ending, handle, redacted, tone, toolOf } from '../../model/record';
import { duration, moment } from '../../model/time';
import { visible } from '../../model/visible';

export function Facts({ record }: { record: EventRecord }) {
  const { name } = useLogPlace();
  const rows = factsOf(record, name).filter(
    ([, value]) => value !== '' && value !== undefined && value !== null && value !== false,
  );
  return (
    <div class="stack">
      <StateAlert record={record} />
      <dl class="facts">
        {rows.map(([label, value]) => (
          <>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
      <Redactions record={record} />
    </div>
  );
}

function factsOf(record: EventRecord, log: string): [string, ComponentChildren][] {
  const end = ending(record);
  const search = (filter: string, value: string | undefined) =>
    value === undefined || value === '' ? (
      ''
    ) : (
      <a href={paths.explore(log, new URLSearchParams([[filter, value]]).toString())}>{visible(value)}</a>
    );
  const { tokens, cost, model, principal, producer } = record as EventRecord & {
    producer?: { id?: string; seq?: number };
  };
  return [
    ['Outcome', end === '' ? '' : <Tag tone={tone(record)}>{end}</Tag>],
    ['Phase', record.phase],
    [
      'Agent',
      agentOf(record) === '' || record.kind === 'log' ? (
        ''
      ) : (
        <a href={paths.agent(log, agentOf(record))}>{visible(agentOf(record))}</a>
      ),
    ],
    ['Tool', search('tool', toolOf(record))],
    ['Action', record.action && visible(record.action)],
    ['Error', search('error_type', record.error_type)],
    ['Happened', record.timestamp ? `${moment(String(record.timestamp))} UTC` : ''],
    ['Took', duration(record.duration_ms)],
    ['Recorded', `${moment(record.recorded_at)} UTC`],
    [
      'Trace',
      record.trace_id && (
        <a class="mono" href={paths.trace(log, record.trace_id)}>
          {visible(record.trace_id)}
        </a>
      ),
    ],
    [
      'Session',
      record.session_id && (
        <a class="mono" href={paths.session(log, record.session_id)}>
          {visible(record.session_id)}
        </a>
      ),
    ],
    ['Task', search('task', record.task_id)],
    [
      'Belongs under',
      record.parent_event_id && (
        <a class="mono" href={paths.event(log, record.parent_event_id)}>
          {visible(record.parent_event_id)}
        </a>
      ),
    ],
    [
      'Caused by',
      record.caused_by?.map((id) => (
        <div key={id}>
          <a class="mono" href={paths.event(log, id)}>
            {visible(id)}
          </a>
        </div>
      )),
    ],
    ['Model', model && visible([model.responded ?? model.requested, model.provider].filter(Boolean).join(' · '))],
    [
      'Tokens',
      tokens &&
        [
          tokens.input !== undefined && `${count(tokens.input)} in`,
          tokens.output !== undefined && `${count(tokens.output)} out`,
        ]
          .filter(Boolean)
          .join(', '),
    ],
    ['Cost', cost && visible(`${cost.amount} ${cost.currency ?? ''}`)],
    ['On behalf of', record.on_behalf_of && visible(record.on_behalf_of)],
    ['Approved by', record.approver && visible(record.approver)],
    ['Sent by', principal && visible(`${principal.subject} (${principal.issuer})`)],
    [
      'Producer',
      producer?.id && visible(`${producer.id}${producer.seq === undefined ? '' : `, number ${producer.seq}`}`),
    ],
    ['Tier', record.tier],
    [
      'Tags',
      record.tags && record.tags.length > 0 && (
        <span class="line">
          {record.tags.map((tag) => (
            <Tag key={tag}>{visible(tag)}</Tag>
          ))}
        </span>
      ),
    ],
    [
      'Event id',
      <span class="line">
        <span class="mono">{visible(handle(record))}</span>
        <Copy text={handle(record)} what="the id" />
      </span>,
    ],
  ];
}

function StateAlert({ record }: { record: EventRecord }) {
  if (record.unreadable === true)
    return (
      <Alert tone="bad">
        The stored bytes of this record are not what they should be. Run <code>tacho verify</code>.
      </Alert>
    );
  if (record.state === 'erased')
    return <Alert tone="warn">This record was erased. Its public entry stays, and proves that it was here.</Alert>;
  if (record.state === 'expired')
    return <Alert tone="warn">The time for which this record is kept is over. Its public entry stays.</Alert>;
  if (record.state === 'content-erased')
    return <Alert tone="warn">The content of this record was erased; its metadata stays.</Alert>;
  if (record.state === 'held')
    return <Alert tone="good">This record is under a legal hold: it does not expire and is not erased.</Alert>;
  return null;
}

function Redactions({ record }: { record: EventRecord }) {
  const list = redacted(record);
  if (list.length === 0) return null;
  return (
    <div class="stack">
      <h3>Taken out before sealing</h3>
      <ul>
        {list.map((it) => (
          <li key={it.path + it.rule} class="line">
            <mark class="redacted">{visible(it.rule.replaceAll('_', ' '))}</mark>
            <span class="mono wrap">{visible(it.path)}</span>
            <span class="soft small">{visible(it.action)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
