// One SELECT over the table `events`: its rows as a table or a chart, and as a file. Nothing is asked before
// somebody presses the button, because the log keeps every statement.
import { useState } from 'preact/hooks';
import type { Rows } from '../../api/types';
import { Bars } from '../../components/Bars';
import { Segments } from '../../components/Choice';
import { Download } from '../../components/Download';
import { Meters } from '../../components/Meters';
import { PlainTable } from '../../components/PlainTable';
import { Alert, Empty, Failure, Waiting } from '../../components/States';
import { downloadRows } from '../../hooks/download';
import { useLogPlace } from '../../hooks/log';
import { go, withParameters, type Place } from '../../hooks/route';
import { useStatement } from '../../hooks/statement';
import { count, plural } from '../../model/number';
import { chartOf, measures, textOf } from '../../model/rowsChart';
import { oneLine } from '../../model/visible';

const EXAMPLE = 'SELECT tool, count(*) AS calls FROM events\nWHERE tool IS NOT NULL GROUP BY tool ORDER BY calls DESC';
const LOOKS = [
  { id: 'table', label: 'Table' },
  { id: 'chart', label: 'Chart' },
];
const CHART_PX = 1_000;

export function SqlView({ place }: { place: Place }) {
  const { name, may, sql } = useLogPlace();
  const [asked, ask] = useStatement(name);
  if (!sql || !may.has('RunSql')) return <NoSql isMissing={!sql} />;
  const run = (form: HTMLFormElement): void => {
    const statement = new FormData(form).get('statement');
    if (typeof statement !== 'string' || statement.trim() === '') return;
    go(withParameters(place, { sql: statement }), true);
    void ask(statement);
  };
  return (
    <div class="stack pad">
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          run(event.currentTarget);
        }}
      >
        <label class="label">
          <span>
            One SELECT over the table <code>events</code>
          </span>
          <textarea
            class="field mono"
            name="statement"
            rows={5}
            required
            spellcheck={false}
            defaultValue={place.parameters.get('sql') ?? EXAMPLE}
            onKeyDown={(event) => {
              const { form } = event.currentTarget;
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && form) run(form);
            }}
          />
        </label>
        <div class="line">
          <button class="button primary" disabled={asked.isBusy}>
            {asked.isBusy ? 'Asking' : 'Run'}
          </button>
          <span class="soft small">
            <kbd>Ctrl</kbd> <kbd>Enter</kbd> runs it. The log keeps every statement, and who asked it.
          </span>
        </div>
      </form>
      {asked.error && <Failure error={asked.error} />}
      {asked.isBusy && <Waiting what="rows" />}
      {asked.rows && <Answer rows={asked.rows} statement={asked.statement} />}
    </div>
  );
}

function NoSql({ isMissing }: { isMissing: boolean }) {
  return (
    <div class="pad">
      <Alert tone="warn">
        {isMissing
          ? 'This server was built without SQL. The filters of this page work without it; '
          : 'Your roles do not allow SQL. '}
        {isMissing && (
          <>
            <code>tacho sql</code>, built with it, asks the data folder.
          </>
        )}
      </Alert>
    </div>
  );
}

function Answer({ rows, statement }: { rows: Rows; statement: string }) {
  const { name } = useLogPlace();
  const [look, setLook] = useState('table');
  return (
    <section class="stack" aria-label="Rows">
      <div class="line">
        <span class="soft" role="status">
          {plural(rows.rows.length, 'row')}
          {rows.truncated ? ', and there are more' : ''}, as of {count(rows.checkpoint.size)} entries
        </span>
        <span class="push line">
          <Segments label="Rows as" options={LOOKS} value={look} choose={setLook} />
          {['csv', 'ndjson'].map((format) => (
            <Download
              key={format}
              label={format.toUpperCase()}
              title="Asked once more, and recorded as well"
              fetch={() => downloadRows(name, statement, format)}
            />
          ))}
        </span>
      </div>
      {rows.rows.length === 0 && (
        <Empty icon="explore" title="No row">
          Nothing fits the statement.
        </Empty>
      )}
      {rows.rows.length > 0 && look === 'table' && <Table rows={rows} />}
      {rows.rows.length > 0 && look === 'chart' && <Chart rows={rows} />}
    </section>
  );
}

const SHOWN_MAX = 500;

function Table({ rows }: { rows: Rows }) {
  const numbers = new Set(measures(rows));
  return (
    <>
      <PlainTable
        label="Rows"
        rows={rows.rows.slice(0, SHOWN_MAX)}
        keyOf={(_, at) => at}
        columns={rows.columns.map((column, at) => ({
          label: oneLine(column),
          isNumber: numbers.has(column),
          cell: (row: unknown[]) => oneLine(textOf(row[at])),
        }))}
      />
      {rows.rows.length > SHOWN_MAX && (
        <p class="soft">The first {count(SHOWN_MAX)} are shown; the files have all of them.</p>
      )}
    </>
  );
}

function Chart({ rows }: { rows: Rows }) {
  const [wanted, setWanted] = useState<string>();
  const chart = chartOf(rows, wanted);
  if (!chart)
    return (
      <Empty icon="overview" title="Nothing to draw">
        No column holds numbers only.
      </Empty>
    );
  const numbers = measures(rows);
  const title = `${chart.measured} by ${chart.labelled}`;
  return (
    <div class="stack">
      <div class="line">
        <h3>{oneLine(title)}</h3>
        {numbers.length > 1 && (
          <select
            class="field push"
            aria-label="What is measured"
            value={chart.measured}
            onChange={(event) => setWanted(event.currentTarget.value)}
          >
            {numbers.map((number) => (
              <option key={number} value={number}>
                {oneLine(number)}
              </option>
            ))}
          </select>
        )}
      </div>
      {chart.isOverTime ? (
        <Bars
          label={oneLine(title)}
          width={CHART_PX}
          columns={chart.bars.map((bar) => ({
            label: bar.label.slice(5, 16).replace('T', ' '),
            from: bar.label,
            value: bar.value,
            errors: 0,
          }))}
        />
      ) : (
        <Meters
          meters={chart.bars.map((bar, at) => ({
            key: String(at),
            name: oneLine(bar.label) || '(none)',
            value: Math.max(0, bar.value),
            note: String(bar.value),
          }))}
        />
      )}
      {chart.more > 0 && <p class="soft">{plural(chart.more, 'row')} more.</p>}
    </div>
  );
}
