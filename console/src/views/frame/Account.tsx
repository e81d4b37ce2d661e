// The right end of the bar: which log, light or dark, help, who one is.
import type { Session } from '../../api/types';
import { Icon } from '../../components/Icon';
import { paths } from '../../hooks/paths';
import { go } from '../../hooks/route';
import { useTheme, type Theme } from '../../hooks/theme';

const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const;

interface Props {
  log: string;
  names: string[];
  session: Session;
  leave: () => Promise<void>;
  help: () => void;
}

export function Account({ log, names, session, leave, help }: Props) {
  const [theme, setTheme] = useTheme();
  return (
    <div class="push line">
      {names.length > 1 && (
        <select
          class="field"
          aria-label="Log"
          value={log}
          onChange={(event) => go(paths.overview(event.currentTarget.value))}
        >
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
      <button
        type="button"
        class="button quiet icon hide-small"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={help}
      >
        <kbd>?</kbd>
      </button>
      <button
        type="button"
        class="button quiet icon"
        aria-label={`Colours: ${theme}`}
        title={`Colours: ${theme}`}
        onClick={() => setTheme(NEXT[theme])}
      >
        <Icon name={ICONS[theme]} />
      </button>
      <button
        type="button"
        class="button quiet"
        title={`Signed in as ${session.subject}${session.roles.length > 0 ? ` (${session.roles.join(', ')})` : ''}`}
        onClick={() => void leave()}
      >
        <Icon name="leave" />
        <span class="hide-small">Sign out</span>
        <span class="only-small unseen">Sign out</span>
      </button>
    </div>
  );
}
