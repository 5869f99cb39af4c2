import type { JsonArray, JsonValue } from '../../model/json.ts';

/** What {@link orderMerged} puts in order. */
export interface MergedList {
  readonly merged: JsonArray;
  /** The elements of the patch, or what it says of their order. */
  readonly patchOrder: JsonArray;
  /** The list before it was merged. */
  readonly targetOrder: JsonArray;
  readonly isSame: (left: JsonValue, right: JsonValue) => boolean;
}

/**
 * The order of a merged list, as Kubernetes has it: elements that the patch names in the order of the patch, the others in the order
 * they had. Between the two, what the list had before keeps its place, and what it did not have comes first.
 */
export function orderMerged({ merged, patchOrder, targetOrder, isSame }: MergedList): JsonArray {
  const indexIn = (list: JsonArray, element: JsonValue): number =>
    list.findIndex((other) => isSame(other, element));
  const named = merged
    .filter((element) => indexIn(patchOrder, element) >= 0)
    .toSorted((left, right) => indexIn(patchOrder, left) - indexIn(patchOrder, right));
  const others = merged.filter((element) => indexIn(patchOrder, element) < 0);
  const ordered: JsonValue[] = [];
  for (const element of named) {
    const place = indexIn(targetOrder, element);
    while (others[0] !== undefined && place >= 0 && indexIn(targetOrder, others[0]) < place) {
      ordered.push(...others.splice(0, 1));
    }
    ordered.push(element);
  }
  return [...ordered, ...others];
}
