// Names of files that are handed over. Ids come from agents: nothing of them that a disk would obey, or
// that would hide what a file is, gets into a name.

const ID_LETTERS_MAX = 80;

export const fileName = (parts: readonly string[], extension: string): string =>
  `${parts.map(plain).filter(Boolean).join('-')}.${extension}`;

const plain = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, ID_LETTERS_MAX);
