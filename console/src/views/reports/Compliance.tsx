// A pack of controls held against the log: each with its verdict and what was found, and the events that are
// not as asked for, one click away.
import type { PackAnswers } from '../../api/types';
import { Download } from '../../components/Download';
import { Alert, Failure, Waiting } from '../../components/States';
import { Tag, type TagTone } from '../../components/Tag';
import { downloadReport } from '../../hooks/download';
import { useLogPlace, usePack } from '../../hooks/log';
import { paths } from '../../hooks/paths';
import { go, withParameters, type Place } from '../../hooks/route';
import { count, plural } from '../../model/number';
import { visible } from '../../model/visible';

const PACKS = [
  { id: 'governance', label: 'Governance of agents' },
  { id: 'eu-ai-act', label: 'EU AI Act' },
  { id: 'dora', label: 'DORA' },
  { id: 'gdpr', label: 'GDPR' },
  { id: 'hipaa', label: 'HIPAA' },
  { id: 'soc2', label: 'SOC 2' },
  { id: 'pci-dss-4', label: 'PCI DSS 4' },
  { id: 'sec-17a-4', label: 'SEC 17a-4' },
  { id: 'iso-42001', label: 'ISO 42001' },
  { id: 'nist', label: 'NIST' },
  { id: 'finos-mi-21', label: 'FINOS MI-21' },
];
const VERDICTS: Record<string, { word: string; tone: TagTone }> = {
  pass: { word: 'pass', tone: 'good' },
  fail: { word: 'fail', tone: 'bad' },
  not_assessable: { word: 'not assessable', tone: 'warn' },
  manual: { word: 'for people', tone: 'plain' },
};
const FORMATS = ['html', 'md', 'pdf', 'csv', 'json'];

export function Compliance({ place, from }: { place: Place; from: string }) {
  const { name, may } = useLogPlace();
  const pack = place.parameters.get('pack') ?? 'governance';
  const isAllowed = may.has('ReadContent');
  const { data: answers, error, refresh } = usePack(name, pack, from, isAllowed);
  if (!isAllowed)
    return (
      <Alert tone="warn">
        Controls look into content, which your roles do not show: no answer is better than a wrong one.
      </Alert>
    );
  return (
    <div class="stack">
      <div class="line">
        <select
          class="field"
          aria-label="Pack"
          value={pack}
          onChange={(event) => go(withParameters(place, { pack: event.currentTarget.value }), true)}
        >
          {PACKS.map((it) => (
            <option key={it.id} value={it.id}>
              {it.label}
            </option>
          ))}
        </select>
        <span class="push line">
          {FORMATS.map((format) => (
            <Download
              key={format}
              label={format.toUpperCase()}
              fetch={() => downloadReport(name, 'compliance-check', format, { pack, ...(from === '' ? {} : { from }) })}
            />
          ))}
        </span>
      </div>
      {error && <Failure error={error} retry={refresh} />}
      {!answers && !error && <Waiting what="the controls" />}
      {answers && <Controls answers={answers} />}
    </div>
  );
}

function Controls({ answers }: { answers: PackAnswers }) {
  const counts = Object.entries(answers.counts).map(([verdict, many]) => ({ verdict, many: Number(many) }));
  return (
    <>
      <div class="line">
        <h2>{visible(answers.title)}</h2>
        {counts.map(({ verdict, many }) => (
          <Tag key={verdict} tone={VERDICTS[verdict]?.tone ?? 'plain'}>
            {count(many)} {VERDICTS[verdict]?.word ?? verdict}
          </Tag>
        ))}
      </div>
      <p class="soft small">
        {plural(answers.records, 'record')} looked at
        {answers.unreadable > 0 ? `, ${count(answers.unreadable)} could not be read` : ''}. {visible(answers.limits)}
      </p>
      <ul class="controls">
        {answers.controls.map((it) => (
          <Control key={it.id} control={it} />
        ))}
      </ul>
    </>
  );
}

function Control({ control }: { control: PackAnswers['controls'][number] }) {
  const { name } = useLogPlace();
  const look = VERDICTS[control.verdict] ?? { word: control.verdict, tone: 'plain' as const };
  const {
    text,
    recommendation,
    scope_question: question,
  } = control as typeof control & {
    text?: string | null;
    recommendation?: string | null;
    scope_question?: string | null;
  };
  return (
    <li>
      <details open={control.verdict === 'fail'}>
        <summary>
          <Tag tone={look.tone}>{look.word}</Tag>
          <b>{visible(control.id)}</b>
          <span class="soft">{visible(control.clause)}</span>
          {control.offending > 0 && <span class="bad-text">{plural(control.offending, 'event')}</span>}
        </summary>
        <div class="stack pad">
          {text && <p class="soft">{visible(text)}</p>}
          <p>{visible(control.found)}</p>
          {question && <p class="soft">To be answered by people: {visible(question)}</p>}
          {recommendation && control.verdict === 'fail' && <p>To do: {visible(recommendation)}</p>}
          {control.events.length > 0 && (
            <div class="line mono" role="group" aria-label={`Events of ${control.id}`}>
              {control.events.map((event) => (
                <a key={event.index} href={paths.event(name, event.index)}>
                  #{event.index}
                </a>
              ))}
              {control.offending > control.events.length && (
                <span class="soft">and {count(control.offending - control.events.length)} more</span>
              )}
            </div>
          )}
        </div>
      </details>
    </li>
  );
}
