// Columns over time: how many, and how many of them errors. As a table for whoever does not see it.
import { ticks } from '../model/waterfall';
import { compact, count } from '../model/number';
import type { Column } from '../model/report';

const LEFT = 44;
const BOTTOM = 20;

export function Bars({
  columns,
  width,
  height = 170,
  label,
}: {
  columns: Column[];
  width: number;
  height?: number;
  label: string;
}) {
  const most = Math.max(1, ...columns.map((column) => column.value));
  const plot = height - BOTTOM - 8;
  const step = (width - LEFT) / Math.max(1, columns.length);
  const y = (value: number): number => 8 + plot - (value / most) * plot;
  const every = Math.max(1, Math.ceil((columns.length * 84) / width));
  return (
    <figure>
      <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
        {ticks(most, 4)
          .filter(Number.isInteger)
          .map((tick) => (
            <g key={tick}>
              <line class="axis" x1={LEFT} x2={width} y1={y(tick)} y2={y(tick)} />
              <text x={LEFT - 8} y={y(tick) + 4} text-anchor="end">
                {compact(tick)}
              </text>
            </g>
          ))}
        {columns.map((column, at) => (
          <g key={column.from}>
            <rect class="hit" x={LEFT + at * step} y={0} width={step} height={height - BOTTOM} />
            <rect
              class="ok"
              x={LEFT + at * step + step * 0.12}
              width={step * 0.76}
              y={y(column.value)}
              height={8 + plot - y(column.value)}
            />
            <rect
              class="err"
              x={LEFT + at * step + step * 0.12}
              width={step * 0.76}
              y={y(column.errors)}
              height={8 + plot - y(column.errors)}
            />
            {at % every === 0 && (
              <text x={LEFT + at * step + step / 2} y={height - 4} text-anchor="middle">
                {column.label}
              </text>
            )}
            <title>{`${column.from}: ${count(column.value)} events, ${count(column.errors)} errors`}</title>
          </g>
        ))}
      </svg>
    </figure>
  );
}
