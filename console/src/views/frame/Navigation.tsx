// Where one can go. What the caller may not see is not offered.
import type { LogHealth } from '../../api/types';
import { Icon, type IconName } from '../../components/Icon';
import { paths } from '../../hooks/paths';

interface Target {
  page: string;
  label: string;
  icon: IconName;
  href: string;
  needs: string;
}

const targets = (log: string): { title: string; targets: Target[] }[] => [
  {
    title: 'Watch',
    targets: [
      { page: 'overview', label: 'Overview', icon: 'overview', href: paths.overview(log), needs: 'ReadMetadata' },
      { page: 'live', label: 'Live', icon: 'live', href: paths.live(log), needs: 'ReadMetadata' },
    ],
  },
  {
    title: 'Investigate',
    targets: [
      { page: 'explore', label: 'Explore', icon: 'explore', href: paths.explore(log), needs: 'ReadMetadata' },
      { page: 'sessions', label: 'Sessions', icon: 'sessions', href: paths.sessions(log), needs: 'ReadMetadata' },
      { page: 'agents', label: 'Agents', icon: 'agents', href: paths.agents(log), needs: 'ReadMetadata' },
      { page: 'reports', label: 'Reports', icon: 'reports', href: paths.reports(log), needs: 'ReadMetadata' },
    ],
  },
  {
    title: 'Assure',
    targets: [
      { page: 'integrity', label: 'Integrity', icon: 'integrity', href: paths.integrity(log), needs: 'ReadProofs' },
      { page: 'lifecycle', label: 'Life cycle', icon: 'lifecycle', href: paths.lifecycle(log), needs: 'ReadRetention' },
    ],
  },
];

/** Pages that one comes to from another one. */
const BELONGS: Record<string, string> = { events: 'explore', traces: 'explore', compare: 'sessions' };

export function Navigation({ log, page, health }: { log: string; page: string; health: LogHealth | undefined }) {
  const may = new Set(health?.may ?? []);
  const current = BELONGS[page] ?? page;
  return (
    <nav class="nav" aria-label="Pages">
      {targets(log).map((group) => {
        const offered = group.targets.filter((target) => may.has(target.needs));
        if (offered.length === 0) return null;
        return (
          <div key={group.title}>
            <h2>{group.title}</h2>
            {offered.map((target) => (
              <a key={target.page} href={target.href} aria-current={target.page === current ? 'page' : undefined}>
                <Icon name={target.icon} />
                {target.label}
              </a>
            ))}
          </div>
        );
      })}
    </nav>
  );
}
