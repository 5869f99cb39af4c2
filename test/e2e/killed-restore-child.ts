/**
 * A restore in a process of its own, which stands still for ever at one of its events, to be killed there.
 *
 *     node killed-restore-child.ts BACKUP NAMESPACE COPY FOLDER EVENT
 *
 * Prints each event as a line, up to that one.
 */
import { writeSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { createEngine, FileSystemObjectStore, type RestoreEvent } from '@lifeboat/core';
import { connectKubeConfig } from '@lifeboat/core/kubernetes';

const [backupName = '', namespace = '', copy = '', directory = '', last = ''] =
  process.argv.slice(2);

function lineOf(event: RestoreEvent): string {
  switch (event.type) {
    case 'phase':
      return `phase ${event.phase}`;
    case 'item':
      return `${event.action} ${event.object.groupResource} ${event.object.name}`;
    default:
      return event.type;
  }
}

const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();
await using connection = connectKubeConfig(kubeConfig);
await using store = new FileSystemObjectStore({ directory });
await createEngine({ ...connection, store }).restore(
  {
    spec: { backupName, includedNamespaces: [namespace], namespaceMapping: { [namespace]: copy } },
  },
  {
    onEvent: (event) => {
      const line = lineOf(event);
      writeSync(1, `${line}\n`);
      if (line === last) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      }
    },
  },
);
