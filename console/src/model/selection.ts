// What a hold or an erasure selects, in words: all of it must fit a record.

export function selection(select: Record<string, unknown>): string {
  return Object.entries(select)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) =>
      /_ms$/.test(name) && typeof value === 'number'
        ? `${name.replace('_ms', '')} ${new Date(value).toISOString()}`
        : `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .join(', ');
}
