// Texts of agents are untrusted: what nobody would see in them, and what turns the direction of a text,
// is shown by its number, so that no record reads as another.

const HIDDEN =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class -- these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

export const visible = (text: string): string =>
  text.replace(HIDDEN, (it) => `\\u{${(it.codePointAt(0) ?? 0).toString(16)}}`);

/** The same on one line. */
export const oneLine = (text: string): string => visible(text.replace(/\s+/g, ' ').trim());
