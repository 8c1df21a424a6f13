// Standards, audit, identity, an agent's history: each page's main action by
// keyboard, at 1280 and 390 wide, and its effect without a reload.
const tests = [];
const unique = () => Date.now().toString(36) + Math.random().toString(36).slice(2, 6);

for (const width of [1280, 390])
  tests.push(
    {
      name: `keyboard: the logs are verified, drawn and taken away as evidence, ${width} wide`,
      async run(t) {
        const page = await t.open('/audit', { width });
        await page.keyboard.press('v');
        await page.getByText(/Yes: [\d,]+ records hold/).waitFor({ timeout: 30_000 });
        await page.getByRole('grid', { name: 'Audit records' }).focus();
        await page.keyboard.press('j');
        await page.keyboard.press('Enter');
        await page.getByRole('region', { name: 'The record' }).getByText('Raw').waitFor();
        await t.axe(page, 'a record');
        await page.keyboard.press('2');
        await page.getByRole('img', { name: /records as \d+ tree/ }).first().waitFor();
        const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('x')]);
        t.ok(/^reeve-evidence-.*\.json$/.test(file.suggestedFilename()), file.suggestedFilename());
        const { readFileSync } = await import('node:fs');
        const evidence = JSON.parse(readFileSync(await file.path(), 'utf8'));
        t.ok(evidence.records.length > 0 && evidence.verification.ok && evidence.keys.items.length > 0 && evidence.checkpoints.items.length > 0, 'records, verification, keys and checkpoints are in it');
      },
    },
    {
      name: `keyboard: a rule is waived for an agent and the waiver ended, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        await t.api('/agents', { name, team: 'finance', environment: 'production', purpose: 'too short', autonomy: 'read_only', owner: 'owner', purpose: 'tries' });
        const page = await t.open('/standards', { width });
        const broken = page.getByRole('row', { name: new RegExp(name) });
        // Its purpose says too little: the row of that rule shows who breaks it.
        await page.getByRole('grid', { name: 'Rules of the standard' }).focus();
        for (let i = 0; i < 14 && (await broken.count()) === 0; i++) {
          await page.keyboard.press('j');
          await page.waitForTimeout(80);
        }
        await broken.getByRole('button', { name: 'Waive' }).focus();
        await page.keyboard.press('Enter');
        const dialog = page.getByRole('dialog', { name: `Waive for ${name}` });
        await dialog.getByLabel('Reason').fill('it is a try');
        await t.axe(page, 'waive');
        await page.keyboard.press('Enter');
        const waiver = page.getByRole('region', { name: 'Waivers' }).getByRole('row', { name: new RegExp(name) });
        await waiver.waitFor();
        await waiver.getByRole('button', { name: 'End' }).focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('Enter');
        await waiver.waitFor({ state: 'detached' });
      },
    },
    {
      name: `keyboard: an issuer is registered and removed, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        const page = await t.open('/settings/identity', { width });
        await page.getByRole('heading', { level: 1, name: 'Identity of agents' }).waitFor();
        await page.keyboard.press('n');
        const dialog = page.getByRole('dialog', { name: 'Register an issuer' });
        await dialog.getByLabel('Name', { exact: true }).fill(name);
        await dialog.getByLabel('Issuer', { exact: true }).fill(`https://${name}.example.com`);
        await dialog.getByLabel('Audiences').fill('https://reeve.example.com');
        await dialog.getByLabel('Or the keys themselves').fill('{"keys":[{"kty":"EC","crv":"P-256","kid":"a","alg":"ES256","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}');
        await dialog.getByLabel('Whose a token is').fill('refund-agent sub=x');
        await t.axe(page, 'issuer');
        await dialog.getByRole('button', { name: 'Keep' }).focus();
        await page.keyboard.press('Enter');
        const row = page.getByRole('region', { name: 'Outside issuers' }).getByRole('row', { name: new RegExp(name) });
        await row.waitFor();
        await row.getByRole('button', { name: 'Remove' }).focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('Enter');
        await row.waitFor({ state: 'detached' });
      },
    },
    {
      name: `keyboard: a join token is made, the glass is broken and mended, ${width} wide`,
      async run(t) {
        const name = `e2e-${unique()}`;
        await t.api('/agents', { name, team: 'finance', environment: 'production', purpose: 'is tried out by a browser', owner: 'owner' });
        const page = await t.open(`/agents/${name}`, { width });
        await page.getByText('May it go on?').waitFor();
        await page.keyboard.press('5');
        await page.getByRole('button', { name: 'Make one' }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: `Make a join token for ${name}` }).getByLabel('Label').fill('first');
        await page.keyboard.press('Enter');
        await page.getByText('Copy this join token now. It is not shown again.').waitFor();
        await page.getByRole('region', { name: 'Join tokens' }).getByRole('cell', { name: 'open' }).waitFor();
        await t.axe(page, 'identity of an agent');
        await page.keyboard.press('3');
        await page.getByText('registered as pilot').waitFor();
        await page.keyboard.press('4');
        await page.getByText('Nothing was seen yet.').waitFor();
        await page.getByRole('button', { name: 'Break glass' }).focus();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: `Break the glass for ${name}` }).getByLabel('Reason').fill('customers wait');
        await page.keyboard.press('Enter');
        await page.getByText('the glass is broken').waitFor();
        await page.goto(`${t.base}/`);
        const row = page.getByRole('listitem').filter({ hasText: `The glass is broken for ${name}` });
        await row.getByRole('button', { name: 'End' }).focus();
        await page.keyboard.press('Enter');
        await page.keyboard.press('Enter');
        await row.waitFor({ state: 'detached' });
      },
    },
    {
      name: `keyboard: the palette finds policies, budgets and upstreams by name, ${width} wide`,
      async run(t) {
        const page = await t.open('/', { width });
        await page.keyboard.press('Control+k');
        await page.getByRole('combobox').waitFor();
        await page.keyboard.type('guardrails');
        await page.getByRole('option', { name: /^guardrails policy/ }).waitFor();
        await page.keyboard.press('Enter');
        await page.waitForURL('**policy=guardrails**');
        await page.getByRole('heading', { level: 2, name: 'guardrails' }).waitFor();
      },
    },
  );

export default tests;
