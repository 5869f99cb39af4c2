/** A list whose first object has been asked for. */
export interface BegunList<T> {
  readonly objects: AsyncIterator<T>;
  readonly first: Promise<IteratorResult<T>>;
}

/** Asks for the first object of a list. What fails is told when the list is {@link resumed}. */
export function beginList<T>(list: AsyncIterable<T>): BegunList<T> {
  const objects = list[Symbol.asyncIterator]();
  const first = objects.next();
  first.catch(() => undefined);
  return { objects, first };
}

/** A list that has begun, from its beginning. */
export async function* resumed<T>({
  objects,
  first,
}: BegunList<T>): AsyncGenerator<T, void, undefined> {
  try {
    for (let step = await first; step.done !== true; step = await objects.next()) {
      yield step.value;
    }
  } finally {
    await objects.return?.();
  }
}
