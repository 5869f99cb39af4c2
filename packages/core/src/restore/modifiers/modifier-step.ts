import { messageOf } from '../../errors.ts';
import type { Issue } from '../../model/issue.ts';
import type { KubernetesManifest, ResourceIdentifier } from '../../model/kubernetes.ts';
import { PatchFailure } from '../../model/patch-failure.ts';
import type { ResourceModifiers } from '../../model/resource-modifiers.ts';
import type { PreparationStep } from '../prepare-item.ts';
import { restorableObject } from '../restorable-object.ts';
import { type CompiledRule, compileModifierRule } from './modifier-rule.ts';

/**
 * The step that applies resource modifiers, which are valid. A rule that cannot be applied is an error issue, and the object is
 * restored without it; one of which a `test` fails is left out in silence, as in Velero.
 */
export function createModifierStep({ resourceModifierRules }: ResourceModifiers): PreparationStep {
  const rules = (resourceModifierRules ?? []).map(compileModifierRule);
  return {
    name: 'resource modifiers',
    run: async (before, { groupResource, itemFromBackup, target }) => {
      const { name, namespace } = itemFromBackup.metadata;
      const subject = { groupResource, namespace, name, item: before };
      const issues: Issue[] = [];
      let item = before;
      for (const [index, rule] of rules.entries()) {
        if (rule.isFor(subject)) {
          const result = applyRule(rule, item);
          if (typeof result === 'string') {
            issues.push(issueOf(index, result, target));
          } else {
            item = result;
          }
        }
      }
      return { item, issues };
    },
  };
}

/** The object with a rule applied, or why it could not be. */
function applyRule(rule: CompiledRule, before: KubernetesManifest): KubernetesManifest | string {
  try {
    const { object, problem } = restorableObject(rule.apply(before), before);
    return object ?? problem;
  } catch (error) {
    return error instanceof PatchFailure && error.kind === 'TestFailed' ? before : messageOf(error);
  }
}

function issueOf(index: number, problem: string, object: ResourceIdentifier): Issue {
  return {
    severity: 'error',
    reason: 'ModifierFailed',
    message: `resourceModifierRules[${index}] could not be applied, so the object is restored without it: ${problem}`,
    object,
  };
}
