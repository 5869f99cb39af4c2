import type { JsonValue } from '../../model/json.ts';
import { applyJsonPatch } from '../../model/json-patch.ts';
import type { KubernetesObject } from '../../model/kubernetes.ts';
import { applyMergePatch } from '../../model/merge-patch.ts';
import { objectAt, stringAt, withoutValueAt } from '../../model/object-path.ts';
import { PatchFailure } from '../../model/patch-failure.ts';
import type { ClusterPatch } from '../../ports/cluster.ts';
import {
  type ApiCall,
  badRequestError,
  conflictError,
  invalidError,
  notFoundError,
} from './api-errors.ts';
import type { FakeApiServer, WriteRequest } from './fake-api-server.ts';
import { frozenObject } from './frozen-json.ts';
import { type FieldManager, recordFields } from './patch/managed-fields.ts';
import { applyManifest } from './patch/server-side-apply.ts';

type ApplyPatch = Extract<ClusterPatch, { readonly type: 'apply' }>;

/** Applies a patch to an object, which an apply makes when it is missing. */
export function patchObject(
  server: FakeApiServer,
  before: KubernetesObject | undefined,
  patch: ClusterPatch,
  request: WriteRequest,
): KubernetesObject {
  const { call } = request;
  if (patch.type === 'apply') {
    return before === undefined
      ? createByApply(server, patch, request)
      : apply(server, before, patch, request);
  }
  if (before === undefined) {
    throw notFoundError(call, 'not found');
  }
  return server.update(before, (object) => changed(object, patch, call), request);
}

function changed(
  object: KubernetesObject,
  patch: Exclude<ClusterPatch, ApplyPatch>,
  call: ApiCall,
): JsonValue {
  try {
    return patch.type === 'json'
      ? applyJsonPatch(object, patch.operations)
      : applyMergePatch(object, patch.patch);
  } catch (error) {
    if (!(error instanceof PatchFailure)) {
      throw error;
    }
    throw error.kind === 'Malformed'
      ? badRequestError(call, error.message)
      : invalidError(call, [{ field: 'patch', reason: 'Invalid', message: error.message }]);
  }
}

function createByApply(
  server: FakeApiServer,
  patch: ApplyPatch,
  request: WriteRequest,
): KubernetesObject {
  const manifest = checkedManifest(patch, request.call);
  if (request.subresource !== undefined) {
    throw notFoundError(request.call, 'not found');
  }
  if (stringAt(manifest, ['metadata', 'uid']) !== undefined) {
    throw conflictError(request.call, 'an object with this uid does not exist');
  }
  const dryRun = server.create(manifest, { ...request, dryRun: true });
  const { fields } = applyManifest(dryRun, manifest, request.manager, undefined);
  const unowned = withoutValueAt(dryRun, ['metadata', 'managedFields']);
  const recorded = recordFields(unowned, fields, managerOf(server, request), undefined);
  return request.dryRun ? frozenObject(recorded) : server.insert(recorded, request);
}

function apply(
  server: FakeApiServer,
  before: KubernetesObject,
  patch: ApplyPatch,
  request: WriteRequest,
): KubernetesObject {
  const { call, manager, subresource } = request;
  const manifest = checkedManifest(patch, call);
  const change = (live: KubernetesObject): JsonValue => {
    const { object, fields, conflicts } = applyManifest(live, manifest, manager, subresource);
    const owned = patch.force === true ? conflicts.map(({ field }) => field) : [];
    if (conflicts.length > owned.length) {
      throw conflictError(
        call,
        `Apply failed with ${conflicts.length} conflict${conflicts.length === 1 ? '' : 's'}: ${conflicts
          .map((conflict) => `conflict with "${conflict.manager}": ${conflict.field}`)
          .join(', ')}`,
        conflicts.map((conflict) => ({
          field: conflict.field,
          reason: 'FieldManagerConflict',
          message: `conflict with "${conflict.manager}"`,
        })),
      );
    }
    return recordFields(
      frozenObject(object),
      fields,
      managerOf(server, request),
      subresource,
      owned,
    );
  };
  return server.update(before, change, { ...request, recordsFields: true });
}

function checkedManifest({ manifest }: ApplyPatch, call: ApiCall): ApplyPatch['manifest'] {
  if (objectAt(manifest, ['metadata'])?.['managedFields'] !== undefined) {
    throw badRequestError(call, 'metadata.managedFields must be nil');
  }
  return manifest;
}

function managerOf(server: FakeApiServer, { manager }: WriteRequest): FieldManager {
  return { name: manager, operation: 'Apply', time: server.now(), statusApart: false };
}
