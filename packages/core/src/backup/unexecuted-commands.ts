import { ClusterError } from '../errors.ts';
import { describeObject } from '../model/kubernetes.ts';
import { stringAt } from '../model/object-path.ts';
import { Resources } from '../model/resources.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { PodExec } from '../ports/pod-exec.ts';

/** Runs no command and takes each for a success, but in a pod that is missing or not running, where it could not be run. */
export function unexecutedCommands(cluster: Cluster): PodExec {
  return {
    async exec({ namespace, podName: name }, { signal } = {}) {
      const reference = { ...Resources.pods, namespace, name };
      const pod = await cluster.get(reference, { signal });
      const phase = pod && stringAt(pod, ['status', 'phase']);
      if (phase !== 'Running') {
        const target = describeObject(reference);
        throw new ClusterError(
          `PodExec.exec ${target}: ${pod === undefined ? 'the pod does not exist' : `the pod is ${phase ?? 'Unknown'}, not Running`}`,
          { code: pod === undefined ? 'NotFound' : 'Invalid', operation: 'PodExec.exec', target },
        );
      }
      return {
        exitCode: 0,
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        truncated: false,
      };
    },
  };
}
