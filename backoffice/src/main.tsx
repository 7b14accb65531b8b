import './ui/fonts.css';
import './ui/styles.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Application } from './app/application.tsx';
import { AuthGate } from './auth/auth-gate.tsx';
import { makeUserManager } from './auth/user-manager.ts';
import { loadConfig } from './config.ts';
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
} catch (error) {
  root.render(
    <ThemeProvider>
      <FullPage title="Till cannot start" actions={<Button label="Try again" onClick={() => window.location.reload()} />}>
        <p>The application does not know where to sign in. If this stays so, tell the people who run it:</p>
        <p className="till-quote">{error instanceof Error ? error.message : String(error)}</p>
      </FullPage>
    </ThemeProvider>,
  );
}
