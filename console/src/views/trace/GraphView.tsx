// Who called whom in a trace, and with which tools: boxes for agents and tools, lines with how often.
import { useMemo } from 'preact/hooks';
import type { Trace } from '../../api/types';
import { graphOf, type Box, type Line } from '../../model/graph';
import { plural } from '../../model/number';
import { oneLine } from '../../model/visible';

const WIDTH = 200;
const HEIGHT = 46;
const ACROSS = 96;
const DOWN = 22;
const EDGE = 20;
const NAME_LETTERS = 22;

const x = (box: Box): number => EDGE + box.column * (WIDTH + ACROSS);
const y = (box: Box): number => EDGE + box.row * (HEIGHT + DOWN);

export function GraphView({ trace }: { trace: Trace }) {
  const graph = useMemo(() => graphOf(trace), [trace]);
  const width = EDGE * 2 + graph.columns * (WIDTH + ACROSS) - ACROSS + 40;
  const height = EDGE * 2 + graph.rows * (HEIGHT + DOWN);
  const boxes = new Map(graph.boxes.map((box) => [box.id, box]));
  return (
    <div class="graph" tabIndex={0} role="region" aria-label="Graph of agents and tools">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={`${plural(graph.boxes.length, 'agent or tool', 'agents and tools')}, ${plural(graph.lines.length, 'connection')}`}
      >
        {graph.lines.map((line) => (
          <Connection key={line.from + line.to} line={line} from={boxes.get(line.from)} to={boxes.get(line.to)} />
        ))}
        {graph.boxes.map((box) => (
          <BoxView key={box.id} box={box} />
        ))}
      </svg>
    </div>
  );
}

function BoxView({ box }: { box: Box }) {
  const look = box.errors > 0 ? 'bad' : box.denied > 0 ? 'denied' : '';
  const name = oneLine(box.name);
  const notes = [
    plural(box.events, 'event'),
    ...(box.errors > 0 ? [plural(box.errors, 'error')] : []),
    ...(box.denied > 0 ? [`${box.denied} denied`] : []),
  ];
  return (
    <g class={`box ${box.kind} ${look}`} transform={`translate(${x(box)} ${y(box)})`}>
      <title>{name}</title>
      <rect width={WIDTH} height={HEIGHT} rx={box.kind === 'tool' ? 23 : 6} />
      <text x={WIDTH / 2} y={19} text-anchor="middle">
        {name.length > NAME_LETTERS ? `${name.slice(0, NAME_LETTERS - 1)}…` : name}
      </text>
      <text class={`note ${box.errors > 0 ? 'bad' : ''}`} x={WIDTH / 2} y={36} text-anchor="middle">
        {notes.join(', ')}
      </text>
    </g>
  );
}

function Connection({ line, from, to }: { line: Line; from: Box | undefined; to: Box | undefined }) {
  if (!from || !to) return null;
  const look = line.errors > 0 ? 'bad' : '';
  const isForward = to.column > from.column;
  const x1 = x(from) + (isForward || to.column === from.column ? WIDTH : 0);
  const x2 = to.column === from.column ? x(to) + WIDTH : isForward ? x(to) : x(to) + WIDTH;
  const [y1, y2] = [y(from) + HEIGHT / 2 + (isForward ? -4 : 6), y(to) + HEIGHT / 2 + (isForward ? -4 : 6)];
  const bend = to.column === from.column ? 60 : ACROSS / 2;
  const [c1, c2] = isForward
    ? [x1 + bend, x2 - bend]
    : to.column === from.column
      ? [x1 + bend, x2 + bend]
      : [x1 - bend, x2 + bend];
  const point = isForward ? -7 : 7;
  return (
    <g>
      <path class={look} d={`M${x1} ${y1}C${c1} ${y1} ${c2} ${y2} ${x2 + point} ${y2}`} />
      <path class={`head ${look}`} d={`M${x2} ${y2}l${point} -4v8z`} />
      <text
        class={`note ${look}`}
        x={(x1 + x2) / 2 + (to.column === from.column ? 42 : 0)}
        y={(y1 + y2) / 2 - 5}
        text-anchor="middle"
      >
        {line.count}
      </text>
    </g>
  );
}
