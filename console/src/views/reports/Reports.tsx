// Reports: choose one and a period, look at it, take it away in any format.
import { Segments, Tabs } from '../../components/Choice';
import { Download } from '../../components/Download';
import { Failure, Waiting } from '../../components/States';
import { downloadReport } from '../../hooks/download';
import { useLogPlace, useReport } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import type { Report } from '../../api/types';
import { count } from '../../model/number';
import { RANGES, moment } from '../../model/time';
import { Compliance } from './Compliance';
import { ReportView } from './ReportView';

const COMPLIANCE = 'compliance-check';
const REPORTS = [
  { id: 'summary', label: 'Summary' },
  { id: 'tool-usage', label: 'Tool usage' },
  { id: 'error-analysis', label: 'Error analysis' },
  { id: 'cost', label: 'Cost and tokens' },
  { id: 'agents', label: 'Inventory of agents' },
  { id: 'daily', label: 'A day' },
  { id: COMPLIANCE, label: 'Compliance' },
];
const FORMATS = ['html', 'md', 'pdf', 'csv', 'json'];

export function Reports({ place }: { place: Place }) {
  useTitle('Reports');
  const kind = place.parameters.get('report') ?? 'summary';
  const from = place.parameters.get('from') ?? '';
  const ranges = RANGES.map((it) => ({ id: it.from, label: it.label }));
  return (
    <div class="page">
      <div class="head">
        <h1>Reports</h1>
        <div class="push line">
          <Segments
            label="Period"
            options={ranges}
            value={from}
            choose={(id) => go(withParameters(place, { from: id }), true)}
          />
        </div>
      </div>
      <section class="card" aria-label="Report">
        <Tabs
          label="Reports"
          options={REPORTS}
          value={kind}
          choose={(id) => go(withParameters(place, { report: id }), true)}
        />
        <div class="body stack" role="tabpanel" aria-label={REPORTS.find((it) => it.id === kind)?.label}>
          {kind === COMPLIANCE ? <Compliance place={place} from={from} /> : <Counted kind={kind} from={from} />}
        </div>
      </section>
    </div>
  );
}

/** A report that counts. */
function Counted({ kind, from }: { kind: string; from: string }) {
  const { name } = useLogPlace();
  const query = from === '' ? {} : { from };
  const { data: report, error, refresh } = useReport<Report>(name, kind, { ...query, content: 0 });
  return (
    <>
      <div class="line">
        {report && <span class="soft small">{period(report)}</span>}
        <span class="push line">
          {FORMATS.map((format) => (
            <Download
              key={format}
              label={format.toUpperCase()}
              fetch={() => downloadReport(name, kind, format, query)}
            />
          ))}
        </span>
      </div>
      {error && <Failure error={error} retry={refresh} />}
      {!report && !error && <Waiting what="the report" />}
      {report && report.report === kind && <ReportView report={report} />}
    </>
  );
}

function period({ period: { start, end }, records, checkpoint }: Report): string {
  const when = start ? `Events from ${moment(start)} to ${moment(end)} UTC` : 'No events in this period';
  const gone =
    records.expired_or_erased > 0 ? `; ${count(records.expired_or_erased)} records are expired or erased` : '';
  return `${when}${gone}; as of ${count(checkpoint.size)} entries. Shown without content; a download has what you may see.`;
}
