// A report as its JSON has it: figures first, then each list as a table. What a report holds is said in
// one place only, the server; so every report of it is shown, also one that is new.
import { Card, Stat } from '../../components/Card';
import { cellText, partsOf, titleOf, type Part } from '../../model/reportParts';
import { visible } from '../../model/visible';

export function ReportView({ report }: { report: Record<string, unknown> }) {
  const { figures, parts } = partsOf(report);
  return (
    <div class="stack">
      <div class="cols">
        {figures.map(([name, value]) => (
          <Stat key={name} label={titleOf(name)} value={<span class="wrap">{visible(value)}</span>} />
        ))}
      </div>
      {parts.map((part) => (
        <Table key={part.name} part={part} />
      ))}
    </div>
  );
}

function Table({ part }: { part: Part }) {
  return (
    <Card title={titleOf(part.name)} flush>
      <div class="scroll" tabIndex={0} role="region" aria-label={titleOf(part.name)}>
        <table class="plain">
          <thead>
            <tr>
              {part.columns.map((name) => (
                <th key={name} class={part.numbers.has(name) ? 'num' : ''}>
                  {titleOf(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {part.rows.map((row, at) => (
              <tr key={at}>
                {part.columns.map((name) => (
                  <td key={name} class={part.numbers.has(name) ? 'num' : ''}>
                    {visible(cellText(row[name], name))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
