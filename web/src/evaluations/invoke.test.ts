import { describe, expect, it } from 'vitest';
import type { InvokeTarget } from '../api/types';
import { commandText, formOf, hard, targetOf, words, wrong } from './invoke';

describe('how an agent is invoked', () => {
  it('sends of a form what its kind has', () => {
    const f = { ...formOf(), url: ' https://a.example/chat ', sandbox: 'orders, ,stock ', timeout: '90' };
    expect(targetOf(f, 3)).toEqual({ kind: 'http', url: 'https://a.example/chat', body: '{"message": "{{input}}", "token": "{{token}}"}', answer: '/reply', allow_private: undefined, sandbox: ['orders', 'stock'], local: [], timeout_s: 90, revision: 3 });
    expect(targetOf({ ...f, kind: 'a2a', inside: true, timeout: '' }, 0)).toEqual({ kind: 'a2a', url: 'https://a.example/chat', allow_private: true, sandbox: ['orders', 'stock'], local: [], timeout_s: undefined, revision: undefined });
  });
  it('keeps that an answer is the whole body', () => {
    expect(formOf({ kind: 'http', url: 'http://x', body: 'b', sandbox: [], local: [] } as unknown as InvokeTarget).answer).toBe('');
  });
  it('says what is wrong before it is sent', () => {
    const f = { ...formOf(), url: 'https://a.example' };
    expect(wrong(f)).toBeUndefined();
    expect(wrong({ ...f, url: 'a.example' })).toMatch(/http/);
    expect(wrong({ ...f, body: '{}' })).toMatch(/\{\{input\}\}/);
    expect(wrong({ ...f, timeout: '0' })).toMatch(/seconds/);
    expect(wrong({ ...f, kind: 'a2a', body: '' })).toBeUndefined();
  });
  it('only warns where the token may come by the header', () => {
    const f = { ...formOf(), url: 'https://a.example', body: '{"q": "{{input}}"}' };
    expect(wrong(f)).toMatch(/X-Reeve-Test-Token/);
    expect([hard(f), hard({ ...f, url: '' }), hard(formOf())]).toEqual([false, true, true]);
  });
  it('writes a command as the configuration file has it', () => {
    expect(words(`node '/opt/my agent/a.mjs'  --say "it's me" ""`)).toEqual(['node', '/opt/my agent/a.mjs', '--say', "it's me", '']);
    expect(commandText('refund', 'node a.mjs', 'OPENAI_BASE_URL={{door}}/llm/openai/v1\n\n', 'lookup', '60')).toBe(
      'invoke:\n  - agent: refund\n    command: ["node", "a.mjs"]\n    env: ["OPENAI_BASE_URL={{door}}/llm/openai/v1"]\n    local: ["lookup"]\n    timeout: 60s',
    );
  });
});
