import { type Cluster, Resources, type StringMap, type VolumePolicy } from '@lifeboat/core';
import { expect, it } from 'vitest';
import { testCluster } from '../cluster/test-cluster.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { BackupLab, testDriver } from './backup-lab.ts';
import { boundVolumeHandle } from './volume-scene.ts';

interface Claim {
  readonly name: string;
  readonly storageClassName: string;
  readonly storage: string;
  readonly labels?: StringMap;
}

const claims: readonly Claim[] = [
  { name: 'small', storageClassName: 'dirvol', storage: '1Mi' },
  { name: 'large', storageClassName: 'dirvol', storage: '20Mi' },
  { name: 'other', storageClassName: 'hostpath', storage: '5Mi' },
  {
    name: 'scratch',
    storageClassName: 'dirvol',
    storage: '5Mi',
    labels: { scratch: 'yes', tier: 'cache' },
  },
];
// Nobody consumes it, so it stays Pending.
const pending: Claim = { name: 'pending', storageClassName: 'dirvol-wffc', storage: '1Mi' };

const skip = { type: 'skip' } as const;
const snapshot = { type: 'snapshot' } as const;

interface Policy {
  readonly what: string;
  readonly policies: readonly VolumePolicy[];
  /** The claims of which snapshots are taken. */
  readonly taken: readonly string[];
  /** Of the warnings, beside the one about the claim that is Pending. */
  readonly warnings?: readonly string[];
  /** Whether the claim that is Pending is skipped without a word. */
  readonly pendingIsSkipped?: true;
  readonly snapshotVolumes?: false;
}

const policies: readonly Policy[] = [
  { what: 'none', policies: [], taken: ['large', 'other', 'scratch', 'small'] },
  {
    what: 'a StorageClass',
    policies: [{ conditions: { storageClass: ['hostpath', 'manual'] }, action: skip }],
    taken: ['large', 'scratch', 'small'],
  },
  {
    what: 'a capacity, both ends included',
    policies: [{ conditions: { capacity: '5Mi,20Mi' }, action: skip }],
    taken: ['small'],
  },
  {
    what: 'labels of the claim, all of which it needs',
    policies: [
      { conditions: { pvcLabels: { scratch: 'yes', tier: 'data' } }, action: skip },
      { conditions: { pvcLabels: { scratch: 'yes' } }, action: skip },
    ],
    taken: ['large', 'other', 'small'],
  },
  {
    what: 'types of volumes, with the first of several policies',
    policies: [
      { conditions: { capacity: ',1Mi' }, action: snapshot },
      { conditions: { volumeTypes: ['nfs', 'csi'] }, action: skip },
    ],
    taken: ['small'],
  },
  {
    what: 'a driver, and attributes that its volumes do not have',
    policies: [
      {
        conditions: { csi: { driver: testDriver, volumeAttributes: { tier: 'gold' } } },
        action: skip,
      },
      { conditions: { csi: { driver: testDriver }, storageClass: ['hostpath'] }, action: skip },
      { conditions: { csi: { driver: 'other.csi.example.com' } }, action: skip },
    ],
    taken: ['large', 'scratch', 'small'],
  },
  {
    what: 'a phase of the claim',
    policies: [{ conditions: { pvcPhase: ['Pending', 'Lost'] }, action: skip }],
    taken: ['large', 'other', 'scratch', 'small'],
    pendingIsSkipped: true,
  },
  {
    what: 'snapshots of some, in a backup that otherwise takes none',
    policies: [{ conditions: { storageClass: ['hostpath'] }, action: snapshot }],
    taken: ['other'],
    warnings: ['SnapshotsDisabled large', 'SnapshotsDisabled scratch', 'SnapshotsDisabled small'],
    snapshotVolumes: false,
  },
  {
    what: 'an action that this engine does not do',
    policies: [{ conditions: { storageClass: ['hostpath'] }, action: { type: 'fs-backup' } }],
    taken: ['large', 'scratch', 'small'],
    warnings: ['VolumeActionNotDone other'],
  },
];

it('volume policies decide of which volumes snapshots are taken, as a plan has foretold', {
  timeout: 300_000,
}, async (context) => {
  const lab = await BackupLab.open(testCluster(context), context);
  const { cluster } = lab.connect();
  const namespace = await lab.kit.createNamespace('policies');
  await createClaims(cluster, namespace);
  const engine = lab.engine();
  for (const [index, policy] of policies.entries()) {
    const { what, policies: volumePolicies, taken, warnings = [] } = policy;
    // Velero reads it from its own namespace, which a request may name.
    const name = `policy-${index}`;
    await cluster.create(Resources.configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace },
      data: { policy: JSON.stringify({ version: 'v1', volumePolicies }) },
    });
    const { snapshotVolumes } = policy;
    const request = {
      name,
      metadata: { namespace },
      spec: {
        includedNamespaces: [namespace],
        resourcePolicy: { kind: 'configmap', name },
        ...(snapshotVolumes !== undefined && { snapshotVolumes }),
      },
    };
    const plan = await engine.planBackup(request);
    const { backup, issues } = await engine.backup(request);
    const objects = await Array.fromAsync(engine.catalog.listObjects(name));
    const stored = (kind: string): readonly string[] =>
      objects.filter(({ groupResource }) => groupResource === kind).map((object) => object.name);
    const snapshots = stored('volumesnapshots.snapshot.storage.k8s.io').map((one) =>
      one.replace(/^velero-(.*)-[^-]{5}$/, '$1'),
    );
    expect(snapshots.toSorted(), what).toEqual(taken);
    const planned = plan.volumes.filter(({ action }) => action === 'snapshot');
    expect(planned.map(({ claimName }) => claimName).sort(), what).toEqual(taken);
    expect(backup.status.csiVolumeSnapshotsCompleted ?? 0, what).toBe(taken.length);
    // Whatever becomes of their data, the claims themselves are stored.
    expect(stored('persistentvolumeclaims').toSorted(), what).toEqual(
      [...claims, pending].map((claim) => claim.name).sort(),
    );
    const all = [...warnings, ...(policy.pendingIsSkipped ? [] : ['ClaimNotBound pending'])];
    for (const told of [issues, plan.issues]) {
      const text = told.map(({ reason, object }) => `${reason} ${object?.name}`);
      expect(text.sort(), what).toEqual(all.sort());
    }
  }
});

async function createClaims(cluster: Cluster, namespace: string): Promise<void> {
  for (const { name, storageClassName, storage, labels = {} } of [...claims, pending]) {
    await cluster.create(Resources.persistentVolumeClaims, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, labels },
      spec: {
        storageClassName,
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage } },
      },
    });
  }
  for (const { name } of claims) {
    await boundVolumeHandle(cluster, namespace, name);
  }
  // Its phase is set by a controller.
  const reference = { ...Resources.persistentVolumeClaims, namespace, name: pending.name };
  await waitFor(async () => (await cluster.get(reference))?.['status'] !== undefined, {
    what: 'the claim without a consumer to be Pending',
  });
}
