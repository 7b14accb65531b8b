import './ui/fonts.css';
import './ui/styles.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Application } from './app/application.tsx';
import { AuthGate } from './auth/auth-gate.tsx';
import { signInFor, tabToSignInFor } from './auth/sign-in-window.ts';
import { makeUserManager } from './auth/user-manager.ts';
import { type Config, loadConfig } from './config.ts';
import { Button } from './ui/button.tsx';
import { FullPage } from './ui/full-page.tsx';
import { ThemeProvider } from './ui/theme.tsx';

const element = document.getElementById('root');
if (element === null) {
  throw new Error('index.html has no element "root"');
}
const root = createRoot(element);

try {
  const config = await loadConfig();
  const tab = tabToSignInFor(window.location);
  if (tab === undefined) start(config);
  else await signInAgain(tab, config);
} catch (error) {
  root.render(
    <ThemeProvider>
      <FullPage title="Till cannot start" actions={<Button label="Try again" onClick={() => window.location.reload()} />}>
        <p>The application does not know where to sign in. If this stays so, tell the people who run it:</p>
        <p className="till-quote">{messageOf(error)}</p>
      </FullPage>
    </ThemeProvider>,
  );
}

function start(config: Config) {
  const userManager = makeUserManager(config, window.location.origin);
  root.render(
    <StrictMode>
      <ThemeProvider>
        <AuthGate userManager={userManager} rolesClaim={config.rolesClaim}>
          <Application />
        </AuthGate>
      </ThemeProvider>
    </StrictMode>,
  );
}

/** In a window that is there only to sign in again for another tab. */
async function signInAgain(tab: string, config: Config) {
  try {
    if (!(await signInFor(tab, config, window.location))) return;
    window.close();
    root.render(
      <ThemeProvider>
        <FullPage title="You are signed in again">
          <p>Close this window, and go on where you were.</p>
        </FullPage>
      </ThemeProvider>,
    );
  } catch (error) {
    root.render(
      <ThemeProvider>
        <FullPage title="Signing in did not work">
          <p>Close this window, and choose “Sign in again” once more. The sign-in service said:</p>
          <p className="till-quote">{messageOf(error)}</p>
        </FullPage>
      </ThemeProvider>,
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
