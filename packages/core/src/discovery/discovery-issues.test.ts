import { expect, it } from 'vitest';

import { discoveryIssues } from './discovery-issues.ts';

it('each group version that could not be read is a warning that names it', () => {
  expect(
    discoveryIssues([
      { group: 'metrics.k8s.io', version: 'v1beta1', message: 'the server is unavailable' },
      { group: '', version: 'v1', message: 'forbidden' },
    ]),
  ).toEqual([
    {
      severity: 'warning',
      reason: 'DiscoveryFailed',
      message:
        'the resources of metrics.k8s.io/v1beta1 could not be read, so its objects are left out: the server is unavailable',
    },
    {
      severity: 'warning',
      reason: 'DiscoveryFailed',
      message: 'the resources of v1 could not be read, so its objects are left out: forbidden',
    },
  ]);
});
