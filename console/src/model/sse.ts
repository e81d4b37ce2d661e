// Server-sent events out of pieces of text, wherever they were cut.

export interface Sent {
  id: string | undefined;
  event: string;
  data: string;
}

export class SentEvents {
  #rest = '';

  /** The events that are whole with the next piece. */
  push(piece: string): Sent[] {
    const text = this.#rest + piece;
    const parts = text.split(/\r?\n\r?\n/);
    this.#rest = parts.pop() ?? '';
    return parts.flatMap(parse);
  }
}

function parse(block: string): Sent[] {
  let id: string | undefined;
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon === 0) continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'id') id = value;
    else if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
  }
  return data.length === 0 ? [] : [{ id, event, data: data.join('\n') }];
}
