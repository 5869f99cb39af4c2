import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type DemoCommand =
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string }
  | {
      readonly kind: 'run';
      readonly target: DemoTarget;
      /** @default a name made for the run */
      readonly namespace: string | undefined;
      readonly image: string;
      readonly keep: boolean;
    };

/** Where the demo runs. */
export type DemoTarget =
  | { readonly kind: 'fake' }
  | { readonly kind: 'real' }
  | {
      readonly kind: 'kubeconfig';
      readonly path: string;
      readonly context: string | undefined;
    };

export const usage = `Backs up an application with a volume, loses it, and restores it.

  demo                      on a cluster inside this process, in seconds
  demo --kubeconfig FILE    on a cluster of yours, in a namespace that the demo makes and deletes
  demo --real               on the project's test cluster, which is built and booted first: some minutes
                            the first time, since Kubernetes is compiled with Go

  --context NAME     context of the kubeconfig; by default its current one
  --namespace NAME   namespace to make; by default lifeboat-demo-<random>
  --image IMAGE      image of the demo's pod, with sleep, tee, cat and sync; by default busybox:1.36
  --keep             leave the restored application and the backup in place, for you to look at; the cluster
                     inside this process ends with it
  --help             show this text

A cluster of yours needs a CSI driver with a StorageClass and a VolumeSnapshotClass, and Kubernetes 1.30 or later.
`;

const options = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  namespace: { type: 'string' },
  image: { type: 'string' },
  real: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const namespacePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Reads the command line. */
export function parseDemoArguments(args: readonly string[]): DemoCommand {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { kind: 'wrong', message: error instanceof Error ? error.message : String(error) };
  }
  const { kubeconfig, context, namespace, image = 'busybox:1.36', real, keep, help } = values;
  if (help) {
    return { kind: 'help' };
  }
  if (real && kubeconfig !== undefined) {
    return wrong('--real and --kubeconfig name two clusters: give one of them');
  }
  if (context !== undefined && kubeconfig === undefined) {
    return wrong('--context names a context of a --kubeconfig, which is missing');
  }
  if (namespace !== undefined && !namespacePattern.test(namespace)) {
    return wrong(`--namespace ${namespace} is not the name of a namespace`);
  }
  const empty = Object.entries({ kubeconfig, image }).find(([, value]) => value === '');
  if (empty !== undefined) {
    return wrong(`--${empty[0]} must not be empty`);
  }
  const target: DemoTarget =
    kubeconfig === undefined
      ? { kind: real ? 'real' : 'fake' }
      : { kind: 'kubeconfig', path: kubeconfig, context };
  return { kind: 'run', target, namespace, image, keep };
}

function wrong(message: string): DemoCommand {
  return { kind: 'wrong', message };
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: false }).values;
}
