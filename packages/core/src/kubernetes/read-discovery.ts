import { isLifeboatError } from '../errors.ts';
import { runAll } from '../internal/run-all.ts';
import type { JsonValue } from '../model/json.ts';
import {
  type ApiGroup,
  type ApiResource,
  apiVersionOf,
  type Discovery,
  type DiscoveryFailure,
} from '../model/kubernetes.ts';
import type { ApiClient } from './api-client.ts';
import {
  aggregatedDiscovery,
  coreGroup,
  isAggregated,
  namedGroups,
  versionResources,
} from './discovery-document.ts';

const operation = 'Cluster.discover';
const aggregatedAccept = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');
const concurrency = 8;

/** Reads what the server serves: in two requests where it can, else group by group. */
export async function readDiscovery(
  client: ApiClient,
  signal: AbortSignal | undefined,
): Promise<Discovery> {
  const core = await readDocument(client, '/api', signal);
  const named = await readDocument(client, '/apis', signal);
  if (!isAggregated(core) || !isAggregated(named)) {
    return readGroupByGroup(client, [...coreGroup(core), ...namedGroups(named)], signal);
  }
  const first = aggregatedDiscovery(core);
  const second = aggregatedDiscovery(named);
  return {
    groups: [...first.groups, ...second.groups],
    resources: [...first.resources, ...second.resources],
    failures: [...first.failures, ...second.failures],
  };
}

async function readGroupByGroup(
  client: ApiClient,
  groups: readonly ApiGroup[],
  signal: AbortSignal | undefined,
): Promise<Discovery> {
  const wanted = groups.flatMap(({ name: group, versions }) =>
    versions.map((version) => ({ group, version })),
  );
  const found = new Map<string, readonly ApiResource[]>();
  const failures: DiscoveryFailure[] = [];
  await runAll(
    wanted,
    async ({ group, version }, workSignal) => {
      const name = apiVersionOf({ group, version });
      try {
        const path = group === '' ? `/api/${name}` : `/apis/${name}`;
        const document = await readDocument(client, path, workSignal, 'application/json');
        found.set(name, versionResources(group, version, document));
      } catch (error) {
        if (!isLifeboatError(error) || error.code === 'Closed') {
          throw error;
        }
        failures.push({ group, version, message: error.message });
      }
    },
    { concurrency, signal },
  );
  return {
    groups,
    resources: wanted.flatMap((version) => found.get(apiVersionOf(version)) ?? []),
    failures,
  };
}

function readDocument(
  client: ApiClient,
  path: string,
  signal: AbortSignal | undefined,
  accept: string = aggregatedAccept,
): Promise<JsonValue> {
  return client.request({ operation, target: path, method: 'GET', path, accept, signal });
}
