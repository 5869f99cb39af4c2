import type { JsonValue } from '../model/json.ts';
import type { ClusterPatch } from '../ports/cluster.ts';

/** How a patch travels. */
export interface PatchRequest {
  readonly contentType: string;
  readonly body: JsonValue;
  /** Query parameter of server-side apply. */
  readonly force?: boolean | undefined;
}

/** The content type, body and query of a patch. */
export function patchRequest(patch: ClusterPatch): PatchRequest {
  switch (patch.type) {
    case 'json':
      return { contentType: 'application/json-patch+json', body: patch.operations };
    case 'merge':
      return { contentType: 'application/merge-patch+json', body: patch.patch };
    case 'apply':
      // JSON is YAML, and the server takes apply patches under this name only.
      return {
        contentType: 'application/apply-patch+yaml',
        body: patch.manifest,
        force: patch.force,
      };
  }
}
