/**
 * Divides the pods of one namespace into blocks whose data belongs together: pods that mount the same claim, or claims that are
 * snapshotted as one group. Pods and blocks stay in order.
 */
export function podBlocks<T>(
  pods: readonly T[],
  claimsOf: (pod: T) => readonly string[],
  /** Claim → the group it is snapshotted with. */
  groupOf: ReadonlyMap<string, string>,
): readonly (readonly T[])[] {
  const blocks = new Map<T[], Set<string>>();
  for (const pod of pods) {
    const ties = new Set(
      claimsOf(pod).map((claim) => {
        const group = groupOf.get(claim);
        return group === undefined ? `claim/${claim}` : `group/${group}`;
      }),
    );
    const related = [...blocks].filter(([, others]) => !others.isDisjointFrom(ties));
    const [first] = related;
    if (first === undefined) {
      blocks.set([pod], ties);
      continue;
    }
    const [block, known] = first;
    for (const [others, theirs] of related.slice(1)) {
      block.push(...others);
      for (const tie of theirs) {
        known.add(tie);
      }
      blocks.delete(others);
    }
    block.push(pod);
    for (const tie of ties) {
      known.add(tie);
    }
  }
  const position = new Map(pods.map((pod, index) => [pod, index]));
  return [...blocks.keys()].map((block) =>
    block.sort((left, right) => (position.get(left) ?? 0) - (position.get(right) ?? 0)),
  );
}
