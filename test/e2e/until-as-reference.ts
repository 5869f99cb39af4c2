import type { Cluster, GroupVersionResource } from '@lifeboat/core';
import { waitFor } from '../cluster/wait-for.ts';
import type { ArchiveEntry } from './backup-directory.ts';
import { type ExplainedDifference, unexplained } from './explained-differences.ts';
import { jsonDifferences } from './json-differences.ts';
import { type NeutralDirectory, neutralEntries } from './neutral-directory.ts';
import type { ReferenceNames } from './reference-names.ts';
import { possibleDifferences } from './usual-differences.ts';

/** A cluster that is to look like the one of a reference. */
export interface UntilAsReferenceOptions {
  readonly cluster: Cluster;
  readonly names: ReferenceNames;
  readonly reference: NeutralDirectory;
  /** The namespace of the reference. */
  readonly namespace: string;
  /** What differs for good. @default nothing */
  readonly explained?: readonly ExplainedDifference[] | undefined;
}

/**
 * Waits until every object of a namespace is as it was when the reference was made: what controllers do has come to rest. What a
 * backup changes, or brings along from elsewhere, is not looked at.
 */
export async function untilAsReference(options: UntilAsReferenceOptions): Promise<void> {
  const { namespace, reference } = options;
  const inNamespace = new RegExp(
    `^resources/([^/]+)/(v[^/]+)-preferredversion/namespaces/${namespace}/`,
  );
  const resources = new Map<string, GroupVersionResource>();
  for (const path of reference.entries.keys()) {
    const [, groupResource = '', version = ''] = inNamespace.exec(path) ?? [];
    if (groupResource !== '' && !groupResource.startsWith('volumesnapshot')) {
      const [resource = '', ...group] = groupResource.split('.');
      resources.set(groupResource, { group: group.join('.'), version, resource });
    }
  }
  await waitFor(async () => (await differences(options, resources)).length === 0, {
    what: `namespace ${namespace} to be as it was for the reference`,
    timeoutMs: 120_000,
    intervalMs: 500,
  }).catch(async (cause: unknown) => {
    const left = JSON.stringify(await differences(options, resources), undefined, 2);
    throw new Error(`the objects of ${namespace} never were as those of the reference: ${left}`, {
      cause,
    });
  });
}

async function differences(
  { cluster, names, namespace, reference, explained = [] }: UntilAsReferenceOptions,
  resources: ReadonlyMap<string, GroupVersionResource>,
): Promise<ReturnType<typeof unexplained>> {
  const archive: ArchiveEntry[] = [];
  for (const [groupResource, resource] of resources) {
    for await (const object of cluster.list(resource, { namespace: names.ours(namespace) })) {
      const path = `resources/${groupResource}/namespaces/${namespace}/${object.metadata.name}.json`;
      archive.push({ path, header: {}, text: JSON.stringify(object) });
    }
  }
  const live = neutralEntries(archive, { rename: (text) => names.theirs(text) });
  const found = [...reference.entries]
    .filter(
      ([path]) =>
        path.includes(`/namespaces/${namespace}/`) &&
        !path.includes('-preferredversion/') &&
        resources.has(path.split('/')[1] ?? ''),
    )
    .flatMap(([file, { content }]) =>
      jsonDifferences(live.get(file)?.content, content).map((one) => ({ file, ...one })),
    )
    // The rest of a claim is changed by its backup.
    .filter(
      ({ file, at }) => !file.includes('/persistentvolumeclaims/') || at.startsWith('status'),
    );
  return unexplained([...possibleDifferences, ...explained], found);
}
