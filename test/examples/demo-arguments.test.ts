import { describe, expect, it } from 'vitest';
import { parseDemoArguments } from '../../examples/demo/arguments.ts';

const defaults = { kind: 'run', namespace: undefined, image: 'busybox:1.36', keep: false };

describe('the command line of the demo', () => {
  it.for([
    { args: '', target: { kind: 'fake' } },
    { args: '--real', target: { kind: 'real' } },
    { args: '--kubeconfig=f', target: { kind: 'kubeconfig', path: 'f', context: undefined } },
    {
      args: '--kubeconfig f --context c',
      target: { kind: 'kubeconfig', path: 'f', context: 'c' },
    },
  ])('$args names the cluster', ({ args, target }) => {
    expect(parseDemoArguments(words(args))).toEqual({ ...defaults, target });
  });

  it('takes a namespace, an image and whether to keep what was made', () => {
    expect(parseDemoArguments(words('--namespace shop --image busybox --keep'))).toEqual({
      kind: 'run',
      target: { kind: 'fake' },
      namespace: 'shop',
      image: 'busybox',
      keep: true,
    });
  });

  it('shows its help, whatever else is asked for', () => {
    expect(parseDemoArguments(words('--help --real --kubeconfig f'))).toEqual({ kind: 'help' });
  });

  it.for([
    { args: '--reel', message: "Unknown option '--reel'" },
    { args: 'shop', message: 'shop' },
    { args: '--namespace', message: 'argument missing' },
    { args: '--real --kubeconfig f', message: 'two clusters' },
    { args: '--context c', message: '--kubeconfig' },
    { args: '--namespace Shop', message: '--namespace Shop' },
    { args: '--kubeconfig=', message: '--kubeconfig must not be empty' },
  ])('$args is wrong', ({ args, message }) => {
    expect(parseDemoArguments(words(args))).toEqual({
      kind: 'wrong',
      message: expect.stringContaining(message) as string,
    });
  });
});

function words(line: string): readonly string[] {
  return line.split(' ').filter((word) => word !== '');
}
