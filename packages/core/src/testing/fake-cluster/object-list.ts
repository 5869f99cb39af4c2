import { matchesFieldSelector, parseFieldSelector } from '../../model/field-selector.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { matchesLabelSelector, parseLabelSelector } from '../../model/label-selector.ts';
import type { ListOptions } from '../../ports/cluster.ts';
import { type ApiCall, badRequestError } from './api-errors.ts';
import { frozenObject } from './frozen-json.ts';
import { type ObjectTable, tableKey } from './object-table.ts';
import type { ServedResource } from './resource-definition.ts';
import { inVersion } from './write-pipeline.ts';

const defaultPageSize = 500;
const everywhere: readonly string[] = ['metadata.name', 'metadata.namespace'];
/** The other fields that the API server selects by. */
const selectableFields: Readonly<Record<string, readonly string[]>> = {
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  namespaces: ['status.phase'],
  nodes: ['spec.unschedulable'],
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  secrets: ['type'],
  'jobs.batch': ['status.successful'],
};

/** Tells which objects of a table a list or a watch is about. */
export type ObjectFilter = (object: KubernetesObject) => boolean;

/**
 * Reads the selectors of a list or a watch.
 *
 * @throws ClusterError Invalid when one cannot be read, or names a field that the server does not select by.
 */
export function objectFilter(
  options: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
  { definition }: ServedResource,
  call: ApiCall,
): ObjectFilter {
  const { namespace, labelSelector = '', fieldSelector = '' } = options;
  const labels = readSelector(() => parseLabelSelector(labelSelector), call);
  const fields = readSelector(() => parseFieldSelector(fieldSelector), call);
  const known = [...everywhere, ...(selectableFields[definition.table] ?? [])];
  const unknown = fields.find(({ field }) => !known.includes(field));
  if (unknown !== undefined) {
    throw badRequestError(call, `field label not supported: ${unknown.field}`);
  }
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    matchesLabelSelector(object.metadata.labels, labels) &&
    matchesFieldSelector(object, fields);
}

/** Where a list gets its objects from. */
export interface ListSource {
  readonly table: ObjectTable;
  readonly served: ServedResource;
  readonly filter: ObjectFilter;
  /** Called before each page but the first, as each is a request of its own. */
  readonly request: () => Promise<void>;
}

/** Lists objects page by page from the state at the first page; from the present one when that has been forgotten. */
export async function* listObjects(
  { table, served, filter, request }: ListSource,
  { pageSize = defaultPageSize, metadataOnly = false, onInconsistent, signal }: ListOptions,
): AsyncIterable<KubernetesObject> {
  const name = served.definition.table;
  let { revision, objects } = table.state(name);
  let isConsistent = true;
  let remaining = objects.filter(filter);
  for (;;) {
    const page = remaining.slice(0, pageSize);
    for (const object of page) {
      signal?.throwIfAborted();
      yield metadataOnly ? metadataOf(object) : inVersion(object, served);
    }
    remaining = remaining.slice(pageSize);
    if (remaining.length === 0) {
      return;
    }
    signal?.throwIfAborted();
    await request();
    const last = page.at(-1);
    if (!table.remembers(revision) && last !== undefined) {
      if (isConsistent) {
        onInconsistent?.();
      }
      isConsistent = false;
      ({ revision, objects } = table.state(name));
      remaining = objects.filter((object) => keyOf(object) > keyOf(last) && filter(object));
    }
  }
}

function metadataOf({ metadata }: KubernetesObject): KubernetesObject {
  return frozenObject({ apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata });
}

function keyOf(object: KubernetesObject): string {
  return tableKey(object.metadata.namespace, object.metadata.name);
}

function readSelector<T>(read: () => T, call: ApiCall): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof SyntaxError ? badRequestError(call, error.message) : error;
  }
}
