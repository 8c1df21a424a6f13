import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './theme/mantine';
import './theme/tokens.css';
import './theme/base.css';
import { makeClient } from './api/queries';
import { inherit } from './api/session';
import { makeRouter } from './routes';
import { resolver, theme } from './theme/theme';

const client = makeClient();
const router = makeRouter(client);

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

// The server writes a fresh nonce into each answer's page; only styles that
// carry it may be injected.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="reeve-nonce"]')?.content ?? '';

// Libraries below Mantine that inject styles (a dialog's scroll lock) look here.
Object.assign(globalThis, { __webpack_nonce__: nonce });

async function start() {
  await inherit();
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={resolver}
        deduplicateCssVariables={false}
        defaultColorScheme="auto"
        colorSchemeManager={localStorageColorSchemeManager({ key: 'reeve.scheme' })}
        getStyleNonce={() => nonce}
      >
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

void start();
