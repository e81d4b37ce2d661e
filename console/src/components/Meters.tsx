// A ranking: each line with its share of the greatest, errors apart.
import type { ComponentChildren } from 'preact';

export interface Meter {
  key: string;
  name: ComponentChildren;
  value: number;
  errors?: number;
  note: ComponentChildren;
}

export function Meters({ meters }: { meters: Meter[] }) {
  const most = Math.max(1, ...meters.map((meter) => meter.value));
  const share = (value: number): string => `${(100 * value) / most}%`;
  return (
    <ul>
      {meters.map((meter) => (
        <li class="meter" key={meter.key}>
          <span class="clip">{meter.name}</span>
          <span class="soft small">{meter.note}</span>
          <span class="line-bar" aria-hidden="true">
            <i class="err" style={{ width: share(meter.errors ?? 0) }} />
            <i style={{ width: share(Math.max(0, meter.value - (meter.errors ?? 0))) }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
