import { expect, it } from 'vitest';
import type { RestoreAction, RestoredItem } from '../model/event.ts';
import { RestoredItems } from './restored-items.ts';

it('has what became of each object, in the order in which it did', () => {
  const actions: readonly RestoreAction[] = [
    ...(['created', 'updated', 'recreated', 'deleted', 'skipped', 'failed'] as const),
  ];
  const items = new RestoredItems();
  const added = actions.map<RestoredItem>((action, index) => ({
    object: { groupResource: 'pods', namespace: 'shop', name: `p-${index}` },
    action,
    reason: index < 4 ? undefined : 'it exists',
  }));
  added.forEach((item) => items.add(item, 'v1/Pod'));
  expect([...items]).toEqual(added);
});

it('has the names of each kind with their outcomes', () => {
  const items = new RestoredItems();
  const node = { groupResource: 'nodes', name: 'n' };
  const pod = { groupResource: 'pods', namespace: 'shop', name: 'web' };
  items.add({ object: pod, action: 'created' }, 'v1/Pod');
  items.add({ object: node, action: 'skipped', reason: 'it is there' }, 'v1/Node');
  items.add({ object: { ...pod, name: 'db' }, action: 'failed' }, 'v1/Pod');
  const outcomes = [...items.outcomes()];
  for (let time = 0; time < 2; time += 1) {
    expect(outcomes.map(([kind, names]) => [kind, [...names]])).toEqual([
      ['v1/Pod', ['shop/web(created)', 'shop/db(failed)']],
      ['v1/Node', ['n(skipped)']],
    ]);
  }
});
