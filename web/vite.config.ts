import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The build must be bit-identical from the same sources (CI rebuilds dist and
// compares), so nothing here may depend on time, host or order of reading.
export default defineConfig({
  plugins: [react()],
  // Answers of a running Reeve while developing the console: start
  // `reeve serve --dev` and then `npm run dev`.
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: process.env.REEVE_URL ?? 'http://127.0.0.1:7300' },
    },
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsDir: 'assets',
    // Inlined data: URLs would need a hole in the content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        entryFileNames: 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
        // What every page needs is one file: split into small ones it took
        // 4 kB more of the first load, and a request each.
        advancedChunks: {
          groups: [
            {
              name: 'base',
              test: /node_modules\/(react|react-dom|scheduler|use-sync-external-store|@tanstack\/(router-core|react-router|history|query-core|react-query|store|react-store))\/|src\/(api|state)\/(?!.*test)|src\/shared\/(format|period|icons|Dropdown|Layout|keys)\.|src\/shell\/dialogs/,
            },
          ],
        },
      },
    },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
  },
});
