// Untrusted values as text: JSON over several lines, hidden characters shown, and what was redacted
// marked as such.
import type { ComponentChildren } from 'preact';
import { pieces } from '../model/redactions';
import { visible } from '../model/visible';

const LONGEST = 200_000;

export function Text({ value, rules }: { value: string; rules: ReadonlySet<string> }) {
  const shown: ComponentChildren[] = pieces(value.slice(0, LONGEST), rules).map((piece, at) =>
    typeof piece === 'string' ? (
      visible(piece)
    ) : (
      <mark class="redacted" key={at} title="Taken out before the event was sealed; nobody has it">
        {piece.rule}
      </mark>
    ),
  );
  return (
    <>
      {shown}
      {value.length > LONGEST && <em> … {value.length - LONGEST} more characters</em>}
    </>
  );
}

export function Value({ value, rules }: { value: unknown; rules: ReadonlySet<string> }) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  if (typeof value === 'string')
    return (
      <p class="said wrap">
        <Text value={text} rules={rules} />
      </p>
    );
  return (
    <pre class="code" tabIndex={0}>
      <Text value={text} rules={rules} />
    </pre>
  );
}
