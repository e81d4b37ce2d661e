// What is missing in a trace or does not fit together: said before anything else, with the events.
import type { Trace } from '../../api/types';
import { Alert } from '../../components/States';
import { plural } from '../../model/number';
import { openIntents } from '../../model/waterfall';

export function Findings({ trace, choose }: { trace: Trace; choose: (event: string) => void }) {
  const open = [...openIntents(trace.events)];
  const denied = trace.events.filter((record) => record.outcome === 'denied').map((record) => record.index);
  const { gaps, orphans, circles, unreadable, reordered } = trace.findings;
  const said: [string, number[]][] = [
    [`${plural(open.length, 'act')} announced and never concluded`, open],
    [`${plural(denied.length, 'act')} denied`, denied],
  ];
  const structure: [number, string][] = [
    [gaps.length, 'gaps in the numbers of a producer'],
    [orphans.length, 'events whose parent is not in the log'],
    [circles.length, 'events that belong under each other in a circle'],
    [unreadable.length, 'records that cannot be read'],
    [reordered.length, 'events that stand elsewhere than their time says'],
  ];
  const lines = said.filter(([, indexes]) => indexes.length > 0);
  const more = structure.filter(([number]) => number > 0);
  if (lines.length === 0 && more.length === 0) return null;
  return (
    <Alert tone="warn">
      <ul>
        {lines.map(([text, indexes]) => (
          <li key={text} class="line">
            <b>{text}</b>
            {indexes.slice(0, 6).map((index) => (
              <button key={index} type="button" class="button quiet mono" onClick={() => choose(String(index))}>
                #{index}
              </button>
            ))}
            {indexes.length > 6 && <span>and {indexes.length - 6} more</span>}
          </li>
        ))}
        {more.map(([number, text]) => (
          <li key={text}>
            <b>{number}</b> {text}
          </li>
        ))}
      </ul>
    </Alert>
  );
}
