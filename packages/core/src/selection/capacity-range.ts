import { compareQuantities, parseQuantity } from '../model/quantity.ts';

/** A range of capacities, as a volume policy has it; both ends belong to it. */
export interface CapacityRange {
  readonly low: string;
  /** Zero: there is no upper end. */
  readonly high: string;
}

/** Reads `low,high`; an empty side is zero. The rule that the text breaks when it is no range. */
export function parseCapacityRange(text: string): CapacityRange | string {
  const sides = text.split(',').map((side) => side.trim() || '0');
  const [low, high] = sides;
  if (low === undefined || high === undefined || sides.length !== 2) {
    return 'must be "low,high" with exactly one comma, such as "10Gi,100Gi", "10Gi," or ",100Gi"';
  }
  const order = compareQuantities(low, high);
  if (order === undefined) {
    return 'must have a quantity on either side of the comma, or nothing';
  }
  return order > 0 && parseQuantity(high) !== 0n
    ? 'must not end below its beginning'
    : { low, high };
}

/** Whether a capacity lies in a range. A capacity that is unknown counts as zero. */
export function isInCapacityRange(
  capacity: string | undefined,
  { low, high }: CapacityRange,
): boolean {
  const size = capacity !== undefined && parseQuantity(capacity) !== undefined ? capacity : '0';
  return isAtLeast(size, low) && (parseQuantity(high) === 0n || isAtLeast(high, size));
}

function isAtLeast(left: string, right: string): boolean {
  return (compareQuantities(left, right) ?? -1) >= 0;
}
