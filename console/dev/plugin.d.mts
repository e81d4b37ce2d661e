// What `plugin.mjs` gives, for the configuration of Vite.
import type { Plugin } from 'vite';

export function developmentServer(): Plugin;
