/** A count as a field of a status, or nothing: Velero leaves out what is zero. */
export function unlessZero(field: string, count: number): Readonly<Record<string, number>> {
  return count === 0 ? {} : { [field]: count };
}
