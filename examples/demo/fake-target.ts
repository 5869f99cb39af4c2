import { FakeCluster } from '@lifeboat/core/testing';

const claim = { namespace: '', name: 'local-pvc' };

/** Makes a cluster inside this process, whose pods know the commands of the demo: `tee`, `cat` and `sync`. */
export function createFakeTarget(): FakeCluster {
  const cluster = new FakeCluster({ name: 'demo' });
  cluster.onExec(({ namespace, command: [program, path = ''] }, { stdin }) => {
    const file = path.replace('/datadir/', '');
    const volume = { ...claim, namespace };
    if (program === 'tee') {
      cluster.csi.writeFile(volume, file, stdin);
      return { stdout: stdin };
    }
    return program === 'cat' ? { stdout: cluster.csi.readFile(volume, file) } : {};
  });
  return cluster;
}
