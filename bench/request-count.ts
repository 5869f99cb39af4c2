import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Reads how many requests the API server of a cluster has answered, whoever sent them, watches left out: the sum of its metric
 * `apiserver_request_total`.
 */
export async function readRequestCount(
  kubectlPath: string,
  kubeconfigPath: string,
): Promise<number> {
  const { stdout } = await promisify(execFile)(
    kubectlPath,
    [`--kubeconfig=${kubeconfigPath}`, 'get', '--raw=/metrics'],
    { maxBuffer: 256 * 1024 * 1024 },
  );
  let sum = 0;
  for (const line of stdout.split('\n')) {
    if (line.startsWith('apiserver_request_total{') && !line.includes('verb="WATCH"')) {
      sum += Number(line.slice(line.lastIndexOf(' ')));
    }
  }
  return sum;
}
