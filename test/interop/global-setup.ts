import type { TestProject } from 'vitest/node';
import { MissingPrerequisiteError } from '../object-stores/build-server.ts';
import { buildVelero, type VeleroBinaries } from './build-velero.ts';

/** Velero, or why there is none here. */
export type ProvidedVelero =
  | { readonly available: true; readonly binaries: VeleroBinaries }
  | { readonly available: false; readonly reason: string };

declare module 'vitest' {
  export interface ProvidedContext {
    velero: ProvidedVelero;
  }
}

const underCi = process.env['CI'] === 'true';

/**
 * Builds Velero where this machine has not done that yet, and tells the tests of it.
 *
 * - a missing prerequisite: told to the tests, which then skip; with `CI=true` the run fails
 */
export default async function setUpVelero(project: TestProject): Promise<void> {
  project.provide('velero', await provide());
}

async function provide(): Promise<ProvidedVelero> {
  try {
    return { available: true, binaries: await buildVelero(report) };
  } catch (error) {
    if (underCi || !(error instanceof MissingPrerequisiteError)) throw error;
    report(error.message);
    return { available: false, reason: error.message };
  }
}

function report(line: string): void {
  console.log(`velero: ${line}`);
}
