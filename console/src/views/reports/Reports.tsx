// Reports: choose one and a period, look at it, take it away in any format.
import { Segments, Tabs } from '../../components/Choice';
import { Icon } from '../../components/Icon';
import { Alert, Failure, Waiting } from '../../components/States';
import { downloadReport } from '../../hooks/download';
import { useLogPlace, useReport } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useTitle } from '../../hooks/screen';
import { codeOf } from '../../api/problem';
import type { Report } from '../../api/types';
import { count } from '../../model/number';
import { RANGES, moment } from '../../model/time';
import { ReportView } from './ReportView';

const REPORTS = [
  { id: 'summary', label: 'Summary' },
  { id: 'tool-usage', label: 'Tool usage' },
  { id: 'error-analysis', label: 'Error analysis' },
  { id: 'cost', label: 'Cost and tokens' },
  { id: 'agents', label: 'Inventory of agents' },
  { id: 'daily', label: 'A day' },
];
const FORMATS = ['html', 'md', 'csv', 'json'];

export function Reports({ place }: { place: Place }) {
  useTitle('Reports');
  const { name } = useLogPlace();
  const kind = place.parameters.get('report') ?? 'summary';
  const from = place.parameters.get('from') ?? '';
  const query = from === '' ? {} : { from };
  const { data: report, error, refresh } = useReport<Report>(name, kind, { ...query, content: 0 });
  const ranges = RANGES.map((it) => ({ id: it.from, label: it.label }));
  const isMissing = codeOf(error) === 'no_sql';
  return (
    <div class="page">
      <div class="head">
        <h1>Reports</h1>
        {report && <span class="sub">as of {count(report.checkpoint.size)} entries</span>}
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
          <div class="line">
            {report && <span class="soft small">{period(report)}</span>}
            <span class="push line">
              {FORMATS.map((format) => (
                <button
                  key={format}
                  type="button"
                  class="button"
                  onClick={() => void downloadReport(name, kind, format, query)}
                >
                  <Icon name="download" />
                  {format.toUpperCase()}
                </button>
              ))}
            </span>
          </div>
          {isMissing && (
            <Alert tone="warn">
              This server was built without reports. <code>tacho report</code> on the data folder makes them.
            </Alert>
          )}
          {error && !isMissing && <Failure error={error} retry={refresh} />}
          {!report && !error && <Waiting what="the report" />}
          {report && report.report === kind && <ReportView report={report} />}
        </div>
      </section>
    </div>
  );
}

function period({ period: { start, end }, records }: Report): string {
  const when = start ? `Events from ${moment(start)} to ${moment(end)} UTC` : 'No events in this period';
  const gone =
    records.expired_or_erased > 0 ? `; ${count(records.expired_or_erased)} records are expired or erased` : '';
  return `${when}${gone}. Shown without content; a download has what you may see.`;
}
