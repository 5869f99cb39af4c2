import { isLifeboatError } from '../../errors.ts';
import type { JsonObject } from '../../model/json.ts';
import type {
  GroupVersionResource,
  KubernetesManifest,
  KubernetesObject,
  ManifestMeta,
  ObjectReference,
} from '../../model/kubernetes.ts';
import { Resources } from '../../model/resources.ts';
import type { Cluster } from '../../ports/cluster.ts';
import type { ClusterContractContext } from './cluster-contract-context.ts';
import { collect, eventually } from './expectations.ts';

/**
 * A custom resource of a case's own: `Widget`, with a status subresource and unknown fields kept. Disposing it removes
 * its definition, and with that every widget.
 */
export class Widgets implements AsyncDisposable {
  readonly resource: GroupVersionResource;
  readonly definition: ObjectReference;
  readonly #context: ClusterContractContext;

  private constructor(context: ClusterContractContext) {
    const group = `${context.namespace}.contract.lifeboat.dev`;
    this.resource = { group, version: 'v1', resource: 'widgets' };
    this.definition = { ...Resources.customResourceDefinitions, name: `widgets.${group}` };
    this.#context = context;
  }

  /** Registers the resource and waits until it is served. */
  static async register(context: ClusterContractContext): Promise<Widgets> {
    const { cluster, signal } = context;
    const widgets = new Widgets(context);
    const { group, version } = widgets.resource;
    await cluster.create(Resources.customResourceDefinitions, definitionManifest(group, version), {
      signal,
    });
    await eventually(
      'serving the custom resource',
      () => isServed(cluster, widgets.resource, signal),
      signal,
    );
    return widgets;
  }

  /** The manifest of a widget in the case's namespace. */
  manifest(name: string, spec: JsonObject = {}, metadata: ManifestMeta = {}): KubernetesManifest {
    return {
      apiVersion: `${this.resource.group}/${this.resource.version}`,
      kind: 'Widget',
      metadata: { ...metadata, namespace: this.#context.namespace, name },
      spec,
    };
  }

  /** Creates a widget in the case's namespace. */
  create(name: string, spec: JsonObject = {}): Promise<KubernetesObject> {
    const { cluster, signal } = this.#context;
    return cluster.create(this.resource, this.manifest(name, spec), { signal });
  }

  /** Points at a widget of the case's namespace. */
  reference(name: string): ObjectReference {
    return { ...this.resource, namespace: this.#context.namespace, name };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.cluster.delete(this.definition, { signal: this.#context.signal });
  }
}

async function isServed(
  cluster: Cluster,
  resource: GroupVersionResource,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await collect(cluster.list(resource, { signal }));
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'NotFound')) {
      return false;
    }
    throw error;
  }
}

function definitionManifest(group: string, version: string): KubernetesManifest {
  const freeForm = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wdg'] },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: { type: 'object', properties: { spec: freeForm, status: freeForm } },
          },
        },
      ],
    },
  };
}
