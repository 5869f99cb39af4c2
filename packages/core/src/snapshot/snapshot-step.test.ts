import { expect, it } from 'vitest';
import type { JsonObject } from '../model/json.ts';
import type { KubernetesObject } from '../model/kubernetes.ts';
import {
  nextSnapshotStep,
  requestedSnapshot,
  type SnapshotObservation,
  type SnapshotProgress,
} from './snapshot-step.ts';

const limits = { handleTimeoutMs: 600_000, readyTimeoutMs: 3_600_000, errorGraceMs: 20_000 };
const requested = requestedSnapshot(0, limits);
const bound: SnapshotProgress = { ...requested, state: 'Bound', retained: true };
const cut: SnapshotProgress = { ...bound, state: 'HandleAssigned', deadlineMs: 3_600_000 };

function volumeSnapshot(status?: JsonObject, metadata: JsonObject = {}): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name: 'snap', namespace: 'shop', uid: 'snap-uid', ...metadata },
    ...(status && { status }),
  };
}

function content(
  status?: JsonObject,
  metadata: JsonObject = {},
  owner = 'snap-uid',
): KubernetesObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotContent',
    metadata: { name: 'snapcontent-snap-uid', uid: 'content-uid', ...metadata },
    spec: { driver: 'disk.csi.example', volumeSnapshotRef: { uid: owner } },
    ...(status && { status }),
  };
}

const boundName = { boundVolumeSnapshotContentName: 'snapcontent-snap-uid' };
const failing = { error: { message: 'rpc error: code = Internal desc = disk on fire' } };
const slow = { error: { message: 'rpc error: code = DeadlineExceeded desc = slow' } };
const beingCreated = {
  annotations: { 'snapshot.storage.kubernetes.io/volumesnapshot-being-created': 'yes' },
};

function look(
  progress: SnapshotProgress,
  seen: {
    snapshot?: KubernetesObject | undefined;
    content?: KubernetesObject;
    nowMs?: number;
    refusingSinceMs?: number | undefined;
  },
): ReturnType<typeof nextSnapshotStep> {
  const observation: SnapshotObservation = {
    volumeSnapshot: 'snapshot' in seen ? seen.snapshot : volumeSnapshot(),
    volumeSnapshotContent: seen.content,
    nowMs: seen.nowMs ?? 1_000,
    refusingSinceMs: seen.refusingSinceMs,
  };
  return nextSnapshotStep(progress, observation, limits);
}

it('waits for a content until the handle timeout', () => {
  expect(look(requested, {}).step).toEqual({ type: 'wait', untilMs: 600_000 });
});

it('protects a content as soon as it is there', () => {
  const seen = content();
  const { step, progress } = look(requested, { content: seen });
  expect(step).toEqual({ type: 'retain', volumeSnapshotContent: seen });
  expect(progress.state).toBe('Bound');
});

it('protects a content that is ready before anything else', () => {
  const ready = content({ readyToUse: true, snapshotHandle: 'h' });
  const snapshot = volumeSnapshot({ ...boundName, readyToUse: true });
  expect(look(requested, { snapshot, content: ready }).step.type).toBe('retain');
});

it('takes no notice of the content of an earlier VolumeSnapshot of the name', () => {
  const { step, progress } = look(requested, { content: content(undefined, {}, 'other-uid') });
  expect(step.type).toBe('wait');
  expect(progress.state).toBe('Requested');
});

it('starts the ready timeout when the handle is there', () => {
  const { step, progress } = look(bound, {
    content: content({ snapshotHandle: 'h' }),
    nowMs: 5_000,
  });
  expect(progress.state).toBe('HandleAssigned');
  expect(step).toEqual({ type: 'wait', untilMs: 3_605_000 });
});

it('is ready when both objects say so and name each other', () => {
  const snapshot = volumeSnapshot({ ...boundName, readyToUse: true });
  const ready = content({ readyToUse: true, snapshotHandle: 'h' });
  expect(look(cut, { snapshot, content: ready }).step).toEqual({
    type: 'ready',
    volumeSnapshot: snapshot,
    volumeSnapshotContent: ready,
    snapshotHandle: 'h',
  });
});

it.each([
  [
    'the VolumeSnapshot does not say so',
    { ...boundName, readyToUse: false },
    { readyToUse: true, snapshotHandle: 'h' },
  ],
  [
    'the VolumeSnapshot is not bound',
    { readyToUse: true },
    { readyToUse: true, snapshotHandle: 'h' },
  ],
  [
    'the content does not say so',
    { ...boundName, readyToUse: true },
    { readyToUse: false, snapshotHandle: 'h' },
  ],
  ['there is no handle', { ...boundName, readyToUse: true }, { readyToUse: true }],
  [
    'the handle is empty',
    { ...boundName, readyToUse: true },
    { readyToUse: true, snapshotHandle: '' },
  ],
])('is not ready while %s', (_reason, snapshotStatus, contentStatus) => {
  const { step } = look(bound, {
    snapshot: volumeSnapshot(snapshotStatus),
    content: content(contentStatus),
  });
  expect(step.type).toBe('wait');
});

it('lets an error stand for its grace', () => {
  const first = look(bound, { content: content(failing), nowMs: 1_000 });
  expect(first.step).toEqual({ type: 'wait', untilMs: 21_000 });
  const second = look(first.progress, { content: content(failing), nowMs: 20_999 });
  expect(second.step).toEqual({ type: 'wait', untilMs: 21_000 });
  expect(look(second.progress, { content: content(failing), nowMs: 21_000 }).step).toEqual({
    type: 'failed',
    reason: 'the driver keeps failing: rpc error: code = Internal desc = disk on fire',
    needsDiagnosis: false,
  });
});

it('counts an error of the VolumeSnapshot when there is no content', () => {
  const snapshot = volumeSnapshot(failing);
  const { progress } = look(requested, { snapshot, nowMs: 0 });
  expect(look(progress, { snapshot, nowMs: 20_000 }).step).toMatchObject({ type: 'failed' });
});

it('starts the grace anew when an error has gone', () => {
  const failed = look(bound, { content: content(failing), nowMs: 0 });
  const recovered = look(failed.progress, { content: content(), nowMs: 10_000 });
  expect(recovered.step).toEqual({ type: 'wait', untilMs: 600_000 });
  const again = look(recovered.progress, { content: content(failing), nowMs: 30_000 });
  expect(again.step).toEqual({ type: 'wait', untilMs: 50_000 });
});

it('takes an error that stood when the handle came for overcome', () => {
  const failed = look(bound, { content: content(failing), nowMs: 0 });
  const stale = content({ ...failing, snapshotHandle: 'h', readyToUse: false });
  const assigned = look(failed.progress, { content: stale, nowMs: 10_000 });
  expect(assigned.step).toEqual({ type: 'wait', untilMs: 3_610_000 });
  expect(look(assigned.progress, { content: stale, nowMs: 60_000 }).step.type).toBe('wait');
});

it('counts a new error after the handle came', () => {
  const failed = content({ ...failing, snapshotHandle: 'h' });
  const { progress } = look(cut, { content: failed, nowMs: 0 });
  expect(look(progress, { content: failed, nowMs: 20_000 }).step.type).toBe('failed');
});

it('does not count an error while the storage is still at work', () => {
  const working = content(slow, beingCreated);
  const { progress } = look(bound, { content: working, nowMs: 0 });
  expect(look(progress, { content: working, nowMs: 100_000 }).step).toEqual({
    type: 'wait',
    untilMs: 600_000,
  });
});

it('counts an error when the sidecar knows how the call ended', () => {
  const { progress } = look(bound, { content: content(slow), nowMs: 0 });
  expect(look(progress, { content: content(slow), nowMs: 20_000 }).step.type).toBe('failed');
});

const busy = { error: { message: 'rpc error: code = ResourceExhausted desc = slow down' } };
const away = { error: { message: 'rpc error: code = Unavailable desc = no connection' } };
const full = { error: { message: 'rpc error: code = ResourceExhausted desc = quota exceeded' } };

it.each<[string, JsonObject, number | undefined, number]>([
  ['a busy driver', busy, undefined, 601_000],
  ['a driver that is away', away, undefined, 601_000],
  ['a driver that has been busy for other snapshots', busy, -500_000, 100_000],
  ['a driver that has been busy for longer than a handle may take', busy, -900_000, 21_000],
  ['a quota that is used up', full, undefined, 21_000],
])('waits for %s', (_case, status, refusingSinceMs, untilMs) => {
  const late: SnapshotProgress = { ...bound, deadlineMs: 900_000 };
  const seen = { content: content(status, beingCreated), refusingSinceMs };
  const { step, progress } = look(late, { ...seen, nowMs: 1_000 });
  expect(step).toEqual({ type: 'wait', untilMs });
  expect(look(progress, { ...seen, nowMs: untilMs }).step).toMatchObject({
    type: 'failed',
    needsDiagnosis: true,
  });
});

it('waits no longer for a busy driver than for a handle', () => {
  const seen = { content: content(busy, beingCreated) };
  const { step, progress } = look(bound, { ...seen, nowMs: 599_000 });
  expect(step).toEqual({ type: 'wait', untilMs: 600_000 });
  expect(look(progress, { ...seen, nowMs: 600_000 }).step).toMatchObject({ type: 'failed' });
});

it.each<[string, SnapshotProgress, KubernetesObject | undefined, string]>([
  ['no content', requested, undefined, 'no VolumeSnapshotContent was made for it within 600 s'],
  [
    'no handle',
    bound,
    content(),
    'VolumeSnapshotContent snapcontent-snap-uid got no snapshot handle within 600 s',
  ],
  ['not ready', cut, content({ snapshotHandle: 'h' }), 'did not become ready to use within 3600 s'],
  [
    'still at work',
    bound,
    content(slow, beingCreated),
    'within 600 s; the last error was: rpc error: code = DeadlineExceeded desc = slow',
  ],
])('says after a timeout with %s what was waited for', (_case, progress, seen, message) => {
  const { step } = look(progress, { ...(seen && { content: seen }), nowMs: 3_600_000 });
  expect(step).toMatchObject({ type: 'failed', needsDiagnosis: true });
  expect(step.type === 'failed' && step.reason).toContain(message);
});

it.each<
  [string, SnapshotProgress, KubernetesObject | undefined, KubernetesObject | undefined, string]
>([
  ['VolumeSnapshot that is gone', requested, undefined, undefined, 'VolumeSnapshot'],
  [
    'VolumeSnapshot that is going',
    bound,
    volumeSnapshot({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    content(),
    'VolumeSnapshot',
  ],
  ['content that is gone', bound, volumeSnapshot(), undefined, 'VolumeSnapshotContent'],
  [
    'content that is going',
    requested,
    volumeSnapshot(),
    content({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    'VolumeSnapshotContent',
  ],
])('fails at once for a %s', (_case, progress, snapshot, seen, kind) => {
  const { step } = look(progress, { snapshot, ...(seen && { content: seen }) });
  expect(step).toEqual({
    type: 'failed',
    reason: `its ${kind} was deleted by someone else while the snapshot was being taken`,
    needsDiagnosis: false,
  });
});
