// Which records: fields of which one must be filled in, and all that are must fit.
import { SELECTORS } from '../../model/selection';

const TIMES = new Set(['from', 'to']);

export function SelectFields() {
  return (
    <fieldset class="fields">
      <legend class="small soft">Which records: all that is filled in must fit, and something must be</legend>
      {SELECTORS.map((it) => (
        <label key={it.id} class="label">
          {it.label}
          <input
            class="field mono"
            name={it.id}
            spellcheck={false}
            autocomplete="off"
            placeholder={TIMES.has(it.id) ? '2026-11-02, or 30d ago as 30d' : ''}
          />
        </label>
      ))}
    </fieldset>
  );
}

/** What a form holds under a name, as text. */
export const typedIn =
  (form: HTMLFormElement) =>
  (name: string): string => {
    const value = new FormData(form).get(name);
    return typeof value === 'string' ? value : '';
  };

export function ReasonField({ label = 'Why' }: { label?: string }) {
  return (
    <label class="label">
      {label}; it stays in the log
      <textarea class="field" name="reason" rows={2} required maxLength={1_000} />
    </label>
  );
}
