import { ValidationError, type Violation } from '../errors.ts';
import { wholeNumberViolations } from '../internal/whole-number-violations.ts';
import type { Backup } from '../model/backup.ts';
import { isJsonObject } from '../model/json.ts';
import { arrayAt } from '../model/object-path.ts';
import type { Cluster } from '../ports/cluster.ts';
import type { PodExec } from '../ports/pod-exec.ts';
import { validateBackupRequest } from '../selection/backup-request.ts';
import { type EffectivePolicy, findResourcePolicy } from './find-resource-policy.ts';
import { acceptBackupRequest, type BackupOptions, type BackupRequest } from './request.ts';

/** What a run goes by once its request has been found valid. */
export interface AcceptedBackup {
  readonly backup: Backup;
  readonly policy: EffectivePolicy;
}

/**
 * Accepts a request with its options: fills in the defaults and finds the resource policy. Reads the cluster only for a
 * ConfigMap that the spec names, and changes nothing.
 *
 * @throws {ValidationError} with every violation of request, options and policy.
 * @throws {ClusterError} when the ConfigMap of the policy cannot be read.
 */
export async function acceptBackup(
  { cluster, podExec }: { readonly cluster: Cluster; readonly podExec?: PodExec | undefined },
  request: BackupRequest,
  options: BackupOptions,
  startedAt: Date,
): Promise<AcceptedBackup> {
  const { spec = {}, metadata } = request;
  const violations = [...validateBackupRequest(request), ...optionViolations(options)];
  if (
    podExec === undefined &&
    arrayAt(isJsonObject(spec) ? spec : {}, ['hooks', 'resources']).length > 0
  ) {
    violations.push({
      path: 'spec.hooks',
      rule: 'needs an engine that can run commands in pods: give createEngine a podExec',
    });
  }
  const isReferenceBroken = violations.some(({ path }) => path.startsWith('spec.resourcePolicy'));
  const { resourcePolicy, ...rest } = isJsonObject(spec) ? spec : {};
  const found = await findResourcePolicy({
    cluster,
    namespace: metadata?.namespace ?? 'velero',
    spec: isReferenceBroken ? rest : { ...rest, resourcePolicy },
    given: options.resourcePolicy,
    signal: options.signal,
  });
  if ('violations' in found) {
    violations.push(...found.violations);
  }
  if (violations.length > 0 || !('policy' in found)) {
    throw new ValidationError('backup', violations);
  }
  return { backup: acceptBackupRequest(request, startedAt), policy: found.policy };
}

function optionViolations({ include, itemOperations = {} }: BackupOptions): readonly Violation[] {
  const given: unknown = include;
  const isFunction = given === undefined || typeof given === 'function';
  return [
    ...(isFunction
      ? []
      : [{ path: 'options.include', rule: 'must be a function', received: given }]),
    ...wholeNumberViolations('options.itemOperations.', { ...itemOperations }),
  ];
}
