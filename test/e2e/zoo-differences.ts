import type { ExplainedDifference } from './explained-differences.ts';

const limits = 'Whether the API server knew of the LimitRange already when the pod was made.';

/** In what the objects of the namespace `zoo` differ from those in the cluster of the reference, backup or not. */
export const zooDifferences: readonly ExplainedDifference[] = [
  {
    file: /\/secrets\/.*\/robot-token\.json$/,
    at: 'data namespace',
    why: 'The name of the namespace in base64, and the namespace has another name here.',
  },
  {
    file: /\/pods\/.*\/agent-<suffix>\.json$/,
    at: /^spec affinity .* values 0$/,
    why: 'The name of the node.',
  },
  {
    file: /\/pods\//,
    at: /^metadata annotations( kubernetes\.io\/limit-ranger)?$/,
    why: limits,
    isSometimes: true,
  },
  {
    file: /\/pods\//,
    at: /^spec containers \d+ resources/,
    why: limits,
    isSometimes: true,
  },
];
