// What failed first in a trace, why, what followed and what to do: the server's examination by its
// documented rules, to look at and to take away.
import type { Examination } from '../../api/types';
import { Download } from '../../components/Download';
import { PlainTable } from '../../components/PlainTable';
import { Failure, Waiting } from '../../components/States';
import { Tag } from '../../components/Tag';
import { downloadForensics } from '../../hooks/download';
import { useForensics, useLogPlace } from '../../hooks/log';
import type { Place } from '../../hooks/route';
import { spelled, toneOf, verdictOf } from '../../model/incident';
import { count, plural } from '../../model/number';
import { clock, duration, moment } from '../../model/time';
import { oneLine, visible } from '../../model/visible';
import { EventLinks } from './EventLinks';

const FORMATS = ['html', 'md', 'pdf'];

export function Incident({ id, place }: { id: string; place: Place }) {
  const { name } = useLogPlace();
  const { data: found, error, refresh } = useForensics(name, id);
  return (
    <div class="stack pad">
      <div class="line">
        {found && (
          <>
            <Tag tone={verdictOf(found.verdict).tone}>{verdictOf(found.verdict).word}</Tag>
            <span class="soft small">
              by rules {found.rules}, as of {count(found.checkpoint.size)} entries
            </span>
          </>
        )}
        <span class="push line">
          {FORMATS.map((format) => (
            <Download
              key={format}
              label={format.toUpperCase()}
              title="The incident report as a file"
              fetch={() => downloadForensics(name, id, format)}
            />
          ))}
        </span>
      </div>
      {error && <Failure error={error} retry={refresh} />}
      {!found && !error && <Waiting what="the examination" />}
      {found && <Found found={found} place={place} />}
    </div>
  );
}

function Found({ found, place }: { found: Examination; place: Place }) {
  const { root_cause: root } = found;
  return (
    <>
      <p class="lead">{visible(found.summary)}</p>
      {root && (
        <section class="stack" aria-label="Root cause">
          <h2>Why: {spelled(root.cause)}</h2>
          <p>
            {visible(root.sentence)}{' '}
            <span class="soft">
              Confidence {root.confidence}, by {spelled(root.basis)}.
            </span>
          </p>
          <EventLinks events={root.events} place={place} />
        </section>
      )}
      <Followed found={found} place={place} />
      <Advice found={found} place={place} />
      <Timeline found={found} place={place} />
      <Around found={found} />
      {found.blind_spots.length > 0 && (
        <section class="stack" aria-label="What cannot be seen">
          <h2>What cannot be seen</h2>
          <ul class="dots">
            {found.blind_spots.map((it) => (
              <li key={it.kind}>
                {visible(it.sentence)} <EventLinks events={it.events} place={place} />
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Followed({ found, place }: { found: Examination; place: Place }) {
  const rows = [
    ...found.consequences.map((it) => ({
      index: it.index,
      what: spelled(it.kind),
      agent: it.agent,
      more: [it.detail ?? '', it.is_linked ? '' : 'only later, no link is known'].filter(Boolean).join('; '),
    })),
    ...found.other_failures.map((it) => ({
      index: it.index,
      what: spelled(it.cause),
      agent: it.agent,
      more: [it.tool ?? '', spelled(it.relation)].filter(Boolean).join('; '),
    })),
  ];
  if (rows.length === 0) return null;
  return (
    <section class="stack" aria-label="What followed">
      <h2>What followed</h2>
      <PlainTable
        label="What followed"
        rows={rows}
        keyOf={(_, at) => at}
        columns={[
          { label: 'Event', cell: (it) => <EventLinks events={[it.index]} place={place} /> },
          { label: 'What', cell: (it) => it.what },
          { label: 'Agent', cell: (it) => oneLine(it.agent ?? '') },
          { label: 'More', cell: (it) => oneLine(it.more) },
        ]}
      />
    </section>
  );
}

function Advice({ found, place }: { found: Examination; place: Place }) {
  if (found.recommendations.length === 0) return null;
  return (
    <section class="stack" aria-label="What to do">
      <h2>What to do</h2>
      <ol class="numbers">
        {found.recommendations.map((it) => (
          <li key={it.rule + it.action}>
            <b>{visible(it.action)}</b>: {visible(it.because)} <EventLinks events={it.events} place={place} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Timeline({ found, place }: { found: Examination; place: Place }) {
  return (
    <section class="stack" aria-label="Timeline">
      <h2>Timeline, causes before effects</h2>
      <PlainTable
        label="Timeline"
        rows={found.timeline}
        keyOf={(it) => it.index}
        columns={[
          { label: 'Event', cell: (it) => <EventLinks events={[it.index]} place={place} /> },
          { label: 'Time (UTC)', isMono: true, cell: (it) => <span title={moment(it.time)}>{clock(it.time)}</span> },
          { label: 'Agent', cell: (it) => oneLine(it.agent ?? '') },
          { label: 'Did', cell: (it) => oneLine(it.action) },
          { label: 'Took', isNumber: true, cell: (it) => duration(it.duration_ms) },
          {
            label: 'Ended',
            cell: (it) => (
              <span class="line">
                <Tag tone={toneOf(it.status, it.role)}>{it.role ? spelled(it.role) : it.status}</Tag>
                {it.error && <span class="small">{oneLine(it.error)}</span>}
              </span>
            ),
          },
        ]}
      />
      {found.timeline_left_out > 0 && <p class="soft">{plural(found.timeline_left_out, 'event')} more.</p>}
    </section>
  );
}

function Around({ found: { blast_radius: radius } }: { found: Examination }) {
  if (!radius || radius.shared.length === 0) return null;
  return (
    <section class="stack" aria-label="What else was touched">
      <h2>What else was touched</h2>
      <p class="soft small">
        Events of other traces from {moment(radius.from)} to {moment(radius.to)} UTC that name the same.
      </p>
      <PlainTable
        label="What else was touched"
        rows={radius.shared}
        keyOf={(_, at) => at}
        columns={[
          { label: 'What', cell: (it) => `${spelled(it.kind)} ${oneLine(it.name)}` },
          { label: 'Events', isNumber: true, cell: (it) => count(it.events) },
          { label: 'Failures', isNumber: true, cell: (it) => count(it.failures) },
          { label: 'Traces', isNumber: true, cell: (it) => count(it.traces) },
        ]}
      />
    </section>
  );
}
