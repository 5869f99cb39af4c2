/**
 * One flow of an engine in a process of its own, which kills itself at one of the calls by which it writes.
 *
 *     node kill-points-child.ts FLOW BACKUP NAMESPACE FOLDER AT
 *
 * Prints those calls as JSON when it comes to its end.
 */
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, type Engine, FileSystemObjectStore } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';
import { KillPoint } from '../../packages/core/src/engine/kill-point-fixture.ts';

const [flow = '', name = '', namespace = '', directory = '', at = ''] = process.argv.slice(2);

const flows: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  backup: (engine) => engine.backup({ name, spec: { includedNamespaces: [namespace] } }),
  restore: (engine) =>
    engine.restore({
      spec: { backupName: name, namespaceMapping: { [namespace]: `${namespace}-copy` } },
    }),
  deletion: (engine) => engine.deleteBackup(name),
};

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
await using connection = connectKubeConfig(kubeConfig);
await using store = new FileSystemObjectStore({ directory });
const killPoint = new KillPoint({
  at: Number(at),
  when: 'after',
  die: () => process.kill(process.pid, 'SIGKILL'),
});
const engine = createEngine({
  cluster: killPoint.cluster(connection.cluster),
  store: killPoint.store(store),
});
await flows[flow]?.(engine);
console.log(JSON.stringify(killPoint.calls));
