import type { Issue } from '../../model/issue.ts';
import type { JsonObject } from '../../model/json.ts';

/**
 * The results file of a run, in the shape that `velero backup describe` reads: errors and warnings apart, those of namespaced
 * objects by namespace, those of cluster-scoped objects under `cluster`, those of the run itself under `velero`. Members that
 * would be empty are left out.
 */
export function resultsOf(issues: readonly Issue[]): JsonObject {
  return {
    errors: resultOf(issues.filter(({ severity }) => severity === 'error')),
    warnings: resultOf(issues.filter(({ severity }) => severity === 'warning')),
  };
}

function resultOf(issues: readonly Issue[]): JsonObject {
  const velero: string[] = [];
  const cluster: string[] = [];
  const namespaces = new Map<string, string[]>();
  for (const issue of issues) {
    const { object } = issue;
    if (object === undefined) {
      velero.push(messageOf(issue));
    } else if (object.namespace === undefined) {
      cluster.push(messageOf(issue));
    } else {
      const messages = namespaces.get(object.namespace) ?? [];
      messages.push(messageOf(issue));
      namespaces.set(object.namespace, messages);
    }
  }
  return {
    ...(velero.length > 0 && { velero }),
    ...(cluster.length > 0 && { cluster }),
    ...(namespaces.size > 0 && { namespaces: Object.fromEntries([...namespaces].sort(byKey)) }),
  };
}

// The leading space and the slashes are Velero's: it joins the parts it has with them (velero: pkg/util/logging).
function messageOf({ message, object }: Issue): string {
  return object === undefined
    ? ` message: /${message}`
    : ` resource: /${object.groupResource} name: /${object.name} message: /${message}`;
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
