// What a word is worth. Colour says the same as the word and its sign, never more.
export type TagTone = 'good' | 'plain' | 'warn' | 'bad' | 'denied' | 'muted' | 'accent';
