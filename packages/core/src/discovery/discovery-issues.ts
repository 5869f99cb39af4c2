import type { Issue } from '../model/issue.ts';
import { apiVersionOf, type DiscoveryFailure } from '../model/kubernetes.ts';

/** Turns what discovery could not find out into warnings: objects of these groups are not in the backup. */
export function discoveryIssues(failures: readonly DiscoveryFailure[]): readonly Issue[] {
  return failures.map((failure) => ({
    severity: 'warning',
    reason: 'DiscoveryFailed',
    message: `the resources of ${apiVersionOf(failure)} could not be read, so its objects are left out: ${failure.message}`,
  }));
}
