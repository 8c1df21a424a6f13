// The end of scripts/quickstart.sh: node e2e/first.mjs http://127.0.0.1:7300 AGENT
//
// Opens the runs page as a newcomer does and waits until the agent's run is
// listed, then opens it with the keyboard and waits for its first step.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [base, agent] = process.argv.slice(2);
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => p && existsSync(p));
if (!base || !agent || !executablePath) {
  console.error(executablePath ? 'usage: node e2e/first.mjs http://127.0.0.1:7300 AGENT' : 'no Chromium found; set CHROMIUM to its path');
  process.exit(2);
}
const browser = await chromium.launch({ executablePath, args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run'] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(60_000);
  await page.goto(`${base}/runs`);
  await page.getByRole('row').filter({ hasText: agent }).first().waitFor();
  await page.getByRole('grid').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/runs\/run_/);
  await page.getByTestId('waterfall').getByRole('row').first().waitFor();
  console.log(`${agent}: its run is listed, and its steps can be read`);
} finally {
  await browser.close();
}
