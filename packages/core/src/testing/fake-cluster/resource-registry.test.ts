import { describe, expect, it } from 'vitest';
import { resourceOf } from './controllers/custom-resource-controller.ts';
import { ResourceRegistry } from './resource-registry.ts';

function definition(...versions: readonly string[]) {
  return resourceOf({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget', shortNames: ['wdg'], categories: ['all'] },
      versions: versions.map((name) => ({
        name: name.replace('!', ''),
        served: !name.endsWith('!'),
        storage: name === versions[0],
        subresources: { status: {} },
      })),
    },
  });
}

describe('ResourceRegistry', () => {
  it('lists the core group first and the versions of a group with the preferred one first', () => {
    const { groups } = new ResourceRegistry().discover();
    expect(groups[0]).toEqual({ name: '', versions: ['v1'], preferredVersion: 'v1' });
    expect(groups.find(({ name }) => name === 'autoscaling')).toEqual({
      name: 'autoscaling',
      versions: ['v2', 'v1'],
      preferredVersion: 'v2',
    });
  });

  it('orders the versions of a custom resource as Kubernetes does', () => {
    const { versions } = definition('v1beta1', 'v1alpha1', 'v2', 'foo', 'v10', 'v1beta2', 'v1');
    expect(versions).toEqual(['v10', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo']);
  });

  it('serves a registered resource in its served versions until it is unregistered', () => {
    const registry = new ResourceRegistry();
    registry.register(definition('v1', 'v1beta1!'));
    const v1 = { group: 'example.com', version: 'v1', resource: 'widgets' };
    expect(registry.find(v1)?.definition.subresources).toEqual(['status']);
    expect(registry.find({ ...v1, version: 'v1beta1' })).toBeUndefined();
    expect(registry.findKind('example.com/v1', 'Widget')?.version).toBe('v1');
    registry.unregister('widgets.example.com');
    expect(registry.find(v1)).toBeUndefined();
    expect(registry.findKind('example.com/v1', 'Widget')).toBeUndefined();
  });
});
