import { ClickUIProvider } from '@clickhouse/click-ui';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

/** What the viewer chose; the system's theme unless they did. */
export type ThemeChoice = 'light' | 'dark' | 'system';

interface Theme {
  readonly choice: ThemeChoice;
  readonly shown: 'light' | 'dark';
  readonly choose: (choice: ThemeChoice) => void;
}

const STORED_AS = 'till-theme';
const ThemeContext = createContext<Theme | null>(null);

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(STORED_AS);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch (error) {
    console.info('The theme is not remembered.', error);
    return 'system';
  }
}

function remember(choice: ThemeChoice): void {
  try {
    if (choice === 'system') localStorage.removeItem(STORED_AS);
    else localStorage.setItem(STORED_AS, choice);
  } catch (error) {
    console.info('The theme is not remembered.', error);
  }
}

const dark = () => window.matchMedia('(prefers-color-scheme: dark)');

function watchSystem(changed: () => void): () => void {
  const media = dark();
  media.addEventListener('change', changed);
  return () => media.removeEventListener('change', changed);
}

/** ClickUI in the theme that the viewer chose, or in the system's. public/theme.js does the same before the first paint. */
export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const [choice, setChoice] = useState(stored);
  const systemIsDark = useSyncExternalStore(watchSystem, () => dark().matches);
  const shown = choice === 'system' ? (systemIsDark ? 'dark' : 'light') : choice;
  const choose = useCallback((next: ThemeChoice) => {
    remember(next);
    setChoice(next);
  }, []);
  useEffect(() => {
    document.documentElement.style.colorScheme = shown;
  }, [shown]);
  const theme = useMemo(() => ({ choice, shown, choose }), [choice, shown, choose]);
  return (
    <ThemeContext.Provider value={theme}>
      <ClickUIProvider theme={shown} persistTheme={false}>
        {children}
      </ClickUIProvider>
    </ThemeContext.Provider>
  );
}

/** The theme, and how to choose another. */
export function useTheme(): Theme {
  const theme = useContext(ThemeContext);
  if (theme === null) {
    throw new Error('useTheme needs a ThemeProvider above it');
  }
  return theme;
}
