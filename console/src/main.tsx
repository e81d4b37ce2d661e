// Begins the console: theme first, so that nothing flashes, then the page.
import { render } from 'preact';
import './theme/tokens.css';
import './theme/base.css';
import './theme/layout.css';
import './theme/parts.css';
import './theme/views.css';
import { applyTheme, storedTheme } from './hooks/theme';
import { Console } from './views/Console';

applyTheme(storedTheme());
const root = document.getElementById('console');
if (root) render(<Console />, root);
