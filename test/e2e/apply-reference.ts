import { randomInt } from 'node:crypto';
import { parseAllDocuments } from 'yaml';
import type { ClusterTestContext, KubectlTarget, TestCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import type { ReferenceNames } from './reference-names.ts';

/** What was applied for a reference backup, and under which names to apply it. */
export interface AppliedReference {
  readonly names: ReferenceNames;
  /** Files of test/vectors/manifests; definitions before what they define. */
  readonly files: readonly string[];
  /** Objects of the manifests that are left out, by name. @default none */
  readonly without?: readonly string[] | undefined;
}

/** Applies manifests as it was done for the reference backups. What they make is deleted at the end, which is not waited for. */
export async function applyReference(
  kit: TestCluster,
  context: ClusterTestContext,
  { names, files, without = [] }: AppliedReference,
): Promise<void> {
  const texts = await Promise.all(files.map((file) => names.manifest(file)));
  const isLeftOut = (document: string): boolean =>
    without.some((name) => document.includes(`name: ${name},`));
  const manifests = texts.map((text) =>
    text
      .split(/^---$/m)
      .filter((document) => !isLeftOut(document))
      .join('---\n'),
  );
  for (const text of manifests) {
    context.onTestFinished(() => deleteApplied(kit, text));
    // A definition may not be served yet, a namespace's default account be missing, and a port belong to another test.
    await waitFor(
      () => {
        const input = text.replaceAll('nodePort: 30080', `nodePort: ${randomInt(30_000, 32_768)}`);
        return kit.kubectl(['apply', '--filename=-'], { input });
      },
      { what: `all objects of ${files.join(' and ')} to be applied` },
    );
  }
}

/**
 * Deletes the namespaces of a manifest, what is not in one, and what is in the namespace that every cluster has. What has been deleted is
 * not waited for.
 */
export async function deleteApplied(
  kit: TestCluster,
  text: string,
  target: Pick<KubectlTarget, 'cluster'> = {},
): Promise<void> {
  const objects = parseAllDocuments(text).map((document) => document.toJS() as ManifestObject);
  for (const { kind, metadata } of objects) {
    if (metadata.finalizers !== undefined) {
      await releaseObject(kit, { kind, ...metadata }, target);
    }
  }
  const targetsIn = (namespace: string | undefined): readonly string[] =>
    objects
      .filter(({ metadata }) => metadata.namespace === namespace)
      // Its definition takes it along.
      .filter(({ kind }) => kind !== 'Gizmo')
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const remove = async (targets: readonly string[], ...options: readonly string[]) => {
    if (targets.length > 0) {
      await kit.kubectl(['delete', ...targets, '--ignore-not-found', ...options], target);
    }
  };
  await remove(targetsIn(undefined), '--wait=false');
  await remove(targetsIn('default'), '--namespace=default');
}

/** Takes the finalizers of an object away, if it is there and has some. */
export async function releaseObject(
  kit: TestCluster,
  {
    kind,
    name,
    namespace,
  }: { readonly kind: string; readonly name: string; readonly namespace?: string },
  target: Pick<KubectlTarget, 'cluster'> = {},
): Promise<void> {
  const place = [kind, name, ...(namespace === undefined ? [] : [`--namespace=${namespace}`])];
  const finalizers = '--output=jsonpath={.metadata.finalizers}';
  const patch = '--patch={"metadata":{"finalizers":null}}';
  // It may go between the two calls.
  await waitFor(
    async () => {
      const found = await kit.kubectl(['get', ...place, '--ignore-not-found', finalizers], target);
      if (found !== '') {
        await kit.kubectl(['patch', ...place, '--type=merge', patch], target);
      }
      return true;
    },
    { what: `${kind} ${name} to be without finalizers` },
  );
}

interface ManifestObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly finalizers?: readonly string[];
  };
}
