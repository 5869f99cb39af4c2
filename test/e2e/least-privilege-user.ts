import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  createEngine,
  type Engine,
  type EngineOptions,
  type JsonValue,
  type KubernetesManifest,
  type ObjectStore,
} from '@lifeboat/core';
import type { KubernetesConnection } from '@lifeboat/core/kubernetes';
import type { TestContext } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { TestCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { connectTestCluster } from './connect-test-cluster.ts';

const guides = join(import.meta.dirname, '../../docs/guides');

/** A ClusterRole as the guides have it. */
interface GuideRole extends KubernetesManifest {
  readonly kind: 'ClusterRole';
  readonly rules: readonly JsonValue[];
}

/** What a user may do: everywhere, or in one namespace. */
export interface RoleGrant {
  readonly user: LeastPrivilegeUser;
  /** Name of the ClusterRole. */
  readonly role: string;
  readonly namespace?: string | undefined;
}

/** A service account of a namespace of its own, which may do only what it is granted. */
export class LeastPrivilegeUser {
  readonly #kit: TestCluster;
  readonly #namespace: string;
  readonly #connection: KubernetesConnection;
  /** Bearer token. */
  readonly token: string;

  private constructor(kit: TestCluster, context: TestContext, namespace: string, token: string) {
    this.#kit = kit;
    this.#namespace = namespace;
    this.token = token;
    this.#connection = connectTestCluster(kit, { token });
    context.onTestFinished(() => this.#connection.close());
  }

  /** Creates a service account without any rights, until the end of the test. */
  static async create(kit: TestCluster, context: TestContext): Promise<LeastPrivilegeUser> {
    const namespace = await kit.createNamespace('user');
    await kit.kubectl(['create', 'serviceaccount', 'lifeboat', `--namespace=${namespace}`]);
    const token = await kit.kubectl(['create', 'token', 'lifeboat', `--namespace=${namespace}`]);
    return new LeastPrivilegeUser(kit, context, namespace, token.trim());
  }

  /** To be given to {@link grantUntilTheEnd}. */
  grant(role: string, namespace?: string): RoleGrant {
    return { user: this, role, namespace };
  }

  /** The object that grants a role. */
  binding({ role, namespace }: RoleGrant): KubernetesManifest {
    return {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
      metadata: {
        name: `${role}-of-${this.#namespace}`,
        ...(namespace !== undefined && { namespace }),
      },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', name: 'lifeboat', namespace: this.#namespace }],
    };
  }

  /** What the API server lets the user do in a namespace; without one, in a namespace where nothing is granted but what is granted everywhere. */
  async rulesIn(namespace = this.#namespace): Promise<readonly unknown[]> {
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    };
    const answer = await this.#kit.kubectl(
      [
        'create',
        '--filename=-',
        '--output=json',
        '--validate=false',
        `--as=system:serviceaccount:${this.#namespace}:lifeboat`,
      ],
      { input: JSON.stringify(review) },
    );
    const { status } = JSON.parse(answer) as { status: { resourceRules: readonly unknown[] } };
    return status.resourceRules;
  }

  /** An engine that acts as the user. */
  engine(store: ObjectStore, options: Pick<EngineOptions, 'timeouts'> = {}): Engine {
    return createEngine({ ...this.#connection, store, ...options });
  }
}

/** The ClusterRoles of guides, under names of one test's own: `lifeboat` in them becomes the prefix. */
export async function rolesOfGuides(
  prefix: string,
  names: readonly string[] = ['csi-snapshots.md'],
): Promise<readonly GuideRole[]> {
  const texts = await Promise.all(names.map((name) => readFile(join(guides, name), 'utf8')));
  return texts
    .flatMap((text) => [...text.matchAll(/^```yaml\n(.*?)^```/gms)])
    .flatMap(([, block = '']) =>
      parseAllDocuments(block.replaceAll('name: lifeboat', `name: ${prefix}`)),
    )
    .map((document) => document.toJS() as KubernetesManifest)
    .filter((object): object is GuideRole => object.kind === 'ClusterRole');
}

/** Lets users do what roles allow, until the end of the test. What was granted counts when the call resolves. */
export async function grantUntilTheEnd(
  kit: TestCluster,
  context: TestContext,
  roles: readonly GuideRole[],
  grants: readonly RoleGrant[],
): Promise<void> {
  const bindings = grants.map((grant) => grant.user.binding(grant));
  await applyUntilTheEnd(kit, context, [...roles, ...bindings]);
  for (const { user, role, namespace } of grants) {
    const { rules = [] } = roles.find(({ metadata }) => metadata.name === role) ?? {};
    await waitFor(
      async () => {
        const known = await user.rulesIn(namespace);
        return rules.every((rule) => known.some((one) => isDeepStrictEqual(one, rule)));
      },
      { what: `role ${role} to count` },
    );
  }
}

/** Applies objects as administrator, and deletes them at the end of the test. */
export async function applyUntilTheEnd(
  kit: TestCluster,
  context: TestContext,
  items: readonly object[],
): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  context.onTestFinished(async () => {
    await kit.kubectl(['delete', '--filename=-', '--ignore-not-found', '--wait=false'], { input });
  });
  await kit.kubectl(['apply', '--filename=-'], { input });
}
