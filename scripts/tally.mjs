// Adds up what the test runners left in .build/ and ends with one plain line.
import { existsSync, readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };

const go = '.build/go-tests.json';
if (existsSync(go)) {
  const words = { pass: 'passed', fail: 'failed', skip: 'skipped' };
  for (const line of readFileSync(go, 'utf8').split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Test } = JSON.parse(line);
    if (Test && words[Action]) total[words[Action]]++;
  }
}

// Node's runner closes with "# pass 12" or "ℹ pass 12".
for (const log of ['web-tests', 'browser-tests', 'e2e-tests']) {
  const path = `.build/${log}.log`;
  if (!existsSync(path)) continue;
  for (const [, what, n] of readFileSync(path, 'utf8').matchAll(/^[#ℹ] (pass|fail|skipped) (\d+)$/gm)) {
    total[{ pass: 'passed', fail: 'failed', skipped: 'skipped' }[what]] += Number(n);
  }
}

console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
