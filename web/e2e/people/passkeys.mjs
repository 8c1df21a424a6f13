// Passkeys, by a virtual authenticator: a browser gives them to a name only, so
// the console is opened as localhost.
const password = process.env.REEVE_PASSWORD ?? 'a long enough password';

export default [1280, 390].map((width) => ({
  name: `keyboard: a passkey is added, and signs in without a password, ${width} wide`,
  async run(t) {
    const base = t.base.replace('127.0.0.1', 'localhost');
    const name = `keys${width}`;
    await t.api('/people', { name, password });
    const context = await t.browser.newContext({ viewport: { width, height: 800 }, reducedMotion: 'reduce' });
    t.cleanup.push(() => context.close());
    const page = await context.newPage();
    t.page = page;
    page.on('pageerror', (e) => t.errors.push(`script error: ${e.message}`));
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: false, automaticPresenceSimulation: true },
    });

    await page.goto(`${base}/sign-in?next=/account`);
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.keyboard.press('Enter');
    await page.getByText('No second factor.').waitFor();
    await page.getByRole('button', { name: 'No role yet' }).waitFor(); // nothing is lost: nobody gave them one
    await page.getByRole('button', { name: 'Add a passkey' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('laptop');
    await dialog.getByRole('textbox', { name: 'Your password' }).fill(password);
    await t.axe(page, 'adding a passkey');
    await page.keyboard.press('Enter');
    await dialog.getByText('The browser gave no passkey').waitFor(); // nobody proved who they are
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await dialog.getByRole('textbox', { name: 'Your password' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('It is not shown again').waitFor();
    await page.getByRole('row', { name: /laptop.*passkey/ }).waitFor();
    await t.axe(page, 'account with a passkey');
    await page.screenshot({ path: `${t.out}/passkey-${width}.png` });

    // Another day: no session, no password.
    await context.clearCookies();
    await page.evaluate(() => sessionStorage.clear());
    await page.goto(`${base}/sign-in?next=/account`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).focus();
    await t.axe(page, 'sign-in with a passkey');
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /laptop.*passkey/ }).getByText('shown, until').waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    t.equal(wide, 0, 'pixels wider than the window');
  },
}));
