// Where something was taken out of a text. Only the rules that the record says were at work are marked:
// anybody can write `[redacted:email]` into a message.

export type Piece = string | { rule: string };
const MARK = /\[redacted:([a-z0-9_]+)(?:[:#][^\]]*)?\]/g;

export function pieces(text: string, rules: ReadonlySet<string>): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(MARK)) {
    const rule = match[1] ?? '';
    if (!rules.has(rule)) continue;
    if (match.index > from) found.push(text.slice(from, match.index));
    found.push({ rule: `redacted: ${rule.replaceAll('_', ' ')}` });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push(text.slice(from));
  return found;
}
