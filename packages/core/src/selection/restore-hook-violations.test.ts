import { expect, it } from 'vitest';
import type { JsonValue } from '../model/json.ts';
import { restoreHookViolations } from './restore-hook-violations.ts';

function found(hooks: JsonValue): readonly string[] {
  return restoreHookViolations(hooks).map(({ path, rule }) => `${path} ${rule}`);
}

it('finds nothing wrong with a hook of every field', () => {
  const exec = {
    container: 'db',
    command: ['load'],
    onError: 'Continue',
    execTimeout: '1m',
    waitTimeout: '5m',
    waitForReady: true,
  };
  const init = {
    initContainers: [{ name: 'fix', image: 'tools', command: ['fix'], env: [{ name: 'A' }] }],
    timeout: '1m',
  };
  const hook = {
    name: 'all',
    includedNamespaces: ['shop'],
    excludedNamespaces: ['other'],
    includedResources: ['pods'],
    labelSelector: { matchLabels: { app: 'db' } },
    postHooks: [{ exec }, { init }],
  };
  expect(found({ resources: [hook] })).toEqual([]);
  expect(restoreHookViolations(undefined)).toEqual([]);
});

it('finds everything that is wrong at once', () => {
  const postHooks = [
    { exec: { waitForReady: 'yes', waitTimeout: 5, timeout: '1s' } },
    { exec: { command: [] }, init: { initContainers: [] } },
    {},
    { init: { initContainers: [{ name: 'A_b', image: '' }, 'fix'], timeout: 'soon' } },
  ];
  expect(
    found({ resources: [{ postHooks, pre: [], includedNamespaces: ['*', 'a'] }], more: 1 }),
  ).toEqual([
    'spec.hooks.resources[0].name is required',
    'spec.hooks.resources[0].postHooks[0].exec.command is required',
    'spec.hooks.resources[0].postHooks[0].exec.waitForReady must be true or false',
    'spec.hooks.resources[0].postHooks[0].exec.waitTimeout must be a duration as Go writes it, such as "30s" or "5m", and not negative',
    'spec.hooks.resources[0].postHooks[0].exec.timeout is not a field of an exec hook: container, command, onError, execTimeout, waitTimeout, waitForReady',
    'spec.hooks.resources[0].postHooks[1].exec.command must be a list of texts, a program and its arguments; for a shell, ["sh", "-c", "…"]',
    'spec.hooks.resources[0].postHooks[1].init.initContainers must hold a container',
    'spec.hooks.resources[0].postHooks[1] must be one of exec and init',
    'spec.hooks.resources[0].postHooks[2] must be one of exec and init',
    'spec.hooks.resources[0].postHooks[3].init.initContainers[0].name must be the name of a container',
    'spec.hooks.resources[0].postHooks[3].init.initContainers[0].image must name an image',
    'spec.hooks.resources[0].postHooks[3].init.initContainers[0].command is required',
    'spec.hooks.resources[0].postHooks[3].init.initContainers[1] must be a container',
    'spec.hooks.resources[0].postHooks[3].init.timeout must be a duration as Go writes it, such as "30s" or "5m", and not negative',
    'spec.hooks.resources[0].pre is not a field of a hook for pods: name, filters, postHooks',
    'spec.hooks.resources[0].includedNamespaces must hold "*" alone or not at all',
    'spec.hooks.more is not a field of the hooks of a restore',
  ]);
});
