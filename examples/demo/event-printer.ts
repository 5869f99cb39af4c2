import type { BackupEvent, Issue, ResourceIdentifier, RestoreEvent } from '@lifeboat/core';

/** Returns a listener that says every event of a backup or restore in a line, an object together with the progress it makes. */
export function createEventPrinter(
  say: (line: string) => void,
): (event: BackupEvent | RestoreEvent) => void {
  let pending: string | undefined;
  const flush = (progress: string): void => {
    if (pending !== undefined) {
      say(`  ${progress.padStart(5)} ${pending}`);
    }
    pending = undefined;
  };
  return (event) => {
    if (event.type === 'progress') {
      flush(event.total === undefined ? `${event.done}` : `${event.done}/${event.total}`);
      return;
    }
    flush('');
    if (event.type === 'item') {
      const reason = 'reason' in event && event.reason !== undefined ? `: ${event.reason}` : '';
      pending = `${event.action} ${describe(event.object)}${reason}`;
    } else {
      say(lineOf(event));
    }
  };
}

/** Says an issue in a line. */
export function describeIssue({ severity, reason, message, object }: Issue): string {
  const about = object === undefined ? '' : ` ${describe(object)}:`;
  return `${severity} ${reason}:${about} ${message}`;
}

function lineOf(
  event: Exclude<BackupEvent | RestoreEvent, { readonly type: 'progress' | 'item' }>,
): string {
  switch (event.type) {
    case 'phase':
      return `  ${event.phase} …`;
    case 'snapshot': {
      const { state, claimName, snapshotHandle, volumeSnapshotName } = event;
      const what = snapshotHandle === undefined ? volumeSnapshotName : `handle ${snapshotHandle}`;
      return `    snapshot of ${claimName}: ${state}${what === undefined ? '' : `, ${what}`}`;
    }
    case 'snapshotDelayed':
      return `    snapshot of ${event.claimName} takes long: ${event.message}`;
    case 'volumeGroup':
      return `    volume group ${event.group.name}: consistent per ${event.group.consistency}`;
    case 'hook':
      return `    ${event.hook.stage} hook of pod ${event.hook.podName}: ${event.state}`;
    case 'itemOperation':
      return `    operation ${event.operationId} of ${event.action}: ${event.state}`;
    case 'wave':
      return `    wave ${event.name}`;
    case 'claim':
      return `    claim ${event.claimName}: ${event.state}`;
    case 'uploaded':
      return `    uploaded ${event.key}`;
    case 'issue':
      return `    ${describeIssue(event.issue)}`;
    default:
      return event satisfies never;
  }
}

function describe({ groupResource, namespace, name }: ResourceIdentifier): string {
  return namespace === undefined
    ? `${groupResource} ${name}`
    : `${groupResource} ${namespace}/${name}`;
}
