// How wide the screen is, where styles alone cannot tell: rows of lists have two lines on a small one.
import { useEffect, useState } from 'preact/hooks';

const SMALL = '(max-width: 760px)';

export function useSmallScreen(): boolean {
  const [isSmall, setSmall] = useState(() => matchMedia(SMALL).matches);
  useEffect(() => {
    const media = matchMedia(SMALL);
    const look = () => setSmall(media.matches);
    media.addEventListener('change', look);
    return () => media.removeEventListener('change', look);
  }, []);
  return isSmall;
}

/** What a page is called in the browser; set by us alone, never by a record. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Tachograph`;
  }, [title]);
}
