import { ValidationError } from '../errors.ts';
import { type ArchivedVersions, chooseVersion } from './choose-version.ts';
import type { TargetResources } from './target-resources.ts';
import type { VersionOptions } from './version-options.ts';

/** Chooses the version of an object of a resource. The target may serve more when it is asked later. */
export type VersionChooser = (groupResource: string, archived: ArchivedVersions) => string;

/**
 * Creates the chooser for a target.
 *
 * @throws {ValidationError} when the priorities are not lists of versions.
 */
export function createVersionChooser(
  resources: Pick<TargetResources, 'canonicalName' | 'versionsOf'>,
  { apiVersionPriorities = {} }: VersionOptions,
): VersionChooser {
  const priorities = Object.entries(apiVersionPriorities);
  const violations = priorities
    .filter(([, versions]) => !isListOfTexts(versions))
    .map(([name, received]) => ({
      path: `options.apiVersionPriorities.${name}`,
      rule: 'must be a list of versions',
      received,
    }));
  if (violations.length > 0) {
    throw new ValidationError('restore', violations);
  }
  return (groupResource, archived) =>
    chooseVersion(
      archived,
      resources.versionsOf(groupResource),
      priorities.flatMap(([name, versions]) =>
        resources.canonicalName(name) === groupResource ? versions : [],
      ),
    );
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((member) => typeof member === 'string');
}
