// Second factors and second people, against a server where people sign in.
import { createHmac } from 'node:crypto';

const password = process.env.REEVE_PASSWORD ?? 'a long enough password';

/** code is the one-time password (RFC 6238) of a base32 secret now. */
function code(secret, at = Date.now()) {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const n = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(n % 1_000_000).padStart(6, '0');
}

let recovery = [];

export default [
  {
    name: 'keyboard: a device is added, and its recovery codes are shown once',
    async run(t) {
      const page = await t.open('/account');
      await page.getByText('No second factor.').waitFor();
      await t.axe(page, 'account without a factor');
      await page.getByRole('button', { name: 'Add a device' }).focus();
      await page.keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Name').waitFor();
      await page.keyboard.type('phone');
      await dialog.getByRole('textbox', { name: 'Your password' }).fill('not the password');
      await page.keyboard.press('Enter');
      await dialog.getByText('the password is wrong').waitFor();
      await dialog.getByRole('textbox', { name: 'Your password' }).fill(password);
      await page.keyboard.press('Enter');
      await dialog.getByAltText('QR code of the secret below').waitFor();
      const secret = (await dialog.getByLabel('secret', { exact: true }).textContent()).trim();
      await t.axe(page, 'enrolment');
      await page.screenshot({ path: `${t.out}/enrol.png` });
      await dialog.getByLabel('Code that it shows now').fill(code(secret));
      await page.keyboard.press('Enter');
      await page.getByText('It is not shown again').waitFor();
      recovery = (await page.getByLabel('list of recovery codes', { exact: true }).textContent()).trim().split(/\s+/);
      t.equal(recovery.length, 10, 'recovery codes');
      await page.getByRole('row', { name: /phone/ }).getByText('shown, until').waitFor();
      for (const scheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: scheme });
        await t.axe(page, `account with a factor, ${scheme}`);
        await page.screenshot({ path: `${t.out}/account-${scheme}.png` });
      }
    },
  },
  {
    name: 'keyboard: signing in asks for the code, at 390 wide',
    async run(t) {
      // Another browser: the password alone no longer opens.
      const context = await t.browser.newContext({ viewport: { width: 390, height: 800 } });
      t.cleanup.push(() => context.close());
      const other = await context.newPage();
      await other.goto(t.base + '/sign-in');
      await other.getByLabel('Name', { exact: true }).fill('first');
      await other.getByRole('textbox', { name: 'Password' }).fill(password);
      await other.keyboard.press('Enter');
      await other.getByLabel('Code').waitFor();
      await t.axe(other, 'sign-in with a code');
      await other.getByLabel('Code').fill(recovery[0]);
      await other.keyboard.press('Enter');
      await other.waitForSelector('nav[aria-label="Pages"]', { state: 'attached' });
    },
  },
  // Left out: confirming a proposal as a second person. No dialog for the second
  // factor appears since the Inbox became a list to decide in (see issue 3, People).
];
