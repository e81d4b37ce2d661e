// The fingerprint of a verifier key: the SHA-256 of its text, as `tacho bundle` prints it.
import { hexOf } from './tree';

export const fingerprint = async (vkey: string): Promise<string> =>
  hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(vkey))));
