import { beforeEach, expect, it } from 'vitest';
import { keepAnswer, readAnswer, takeAnswer } from './answer';

beforeEach(() => {
  sessionStorage.clear();
  history.replaceState(null, '', '/upstreams/connected');
});

it('reads what an authorization server said', () => {
  expect(readAnswer('#upstream=tracker&at=_x&state=s&code=a%26b&iss=https%3A%2F%2Fas.example')).toEqual({ upstream: 'tracker', at: '_x', state: 's', code: 'a&b', iss: 'https://as.example', error: undefined, error_description: undefined });
  expect(readAnswer('#section')).toBeUndefined();
  expect(readAnswer('')).toBeUndefined();
});

it('takes it out of the address and gives it once', () => {
  history.replaceState(null, '', '/upstreams/connected#upstream=tracker&state=s&error=access_denied');
  keepAnswer();
  expect(location.hash).toBe('');
  expect(takeAnswer()).toMatchObject({ upstream: 'tracker', error: 'access_denied' });
  expect(takeAnswer()).toBeUndefined();
});
