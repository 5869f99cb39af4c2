import { NumberList } from '../internal/number-list.ts';
import { TextList } from '../internal/text-list.ts';
import type { ResourceIdentifier } from '../model/kubernetes.ts';

/** What identifiers have in common that only their names tell apart. */
interface Place extends Pick<ResourceIdentifier, 'groupResource' | 'namespace'> {
  readonly number: number;
  /** The first identifier and the last one so far, by their positions in the list. */
  readonly first: number;
  last: number;
  /** Whether each name is greater than the one before. */
  isInOrder: boolean;
  /** Where each name is in the list; made when it is needed first. */
  positions?: Map<string, number>;
}

/**
 * Identifiers by the ten thousands, in the order in which they were added: their names as bytes outside of the heap, those of resources and
 * namespaces once. The texts that they were cut out of are not kept.
 */
export class IdentifierList {
  readonly #names = new TextList();
  readonly #placeNumbers = new NumberList();
  readonly #places: Place[] = [];
  readonly #placeOf = new Map<string, Map<string | undefined, Place>>();

  get length(): number {
    return this.#names.length;
  }

  /** Adds an identifier, also when it is there; returns its position. */
  add(identifier: ResourceIdentifier): number {
    const place = this.#find(identifier);
    return this.#append(identifier, place, place === undefined || this.#isNext(identifier, place));
  }

  /** Adds an identifier and returns its position; `undefined` when it is there already. */
  addNew(identifier: ResourceIdentifier): number | undefined {
    const place = this.#find(identifier);
    const isNext = place === undefined || this.#isNext(identifier, place);
    // Names mostly come in order: one that is greater than all before it is not among them.
    return !isNext && this.find(identifier) !== undefined
      ? undefined
      : this.#append(identifier, place, isNext);
  }

  /** The identifier at a position. Throws RangeError when there is none. */
  at(index: number): ResourceIdentifier {
    const place = this.#places[this.#placeNumbers.at(index)];
    const name = this.#names.at(index);
    return place?.namespace === undefined
      ? { groupResource: place?.groupResource ?? '', name }
      : { groupResource: place.groupResource, namespace: place.namespace, name };
  }

  /** The position of an identifier, the last one if it was added repeatedly; `undefined` when it was not. */
  find(identifier: ResourceIdentifier): number | undefined {
    const place = this.#find(identifier);
    if (place === undefined) {
      return undefined;
    }
    place.positions ??= this.#positionsIn(place);
    return place.positions.get(identifier.name);
  }

  /** How the names at two positions relate in the order of their code points: below zero when the first comes first. */
  compareNames(left: number, right: number): number {
    return this.#names.compare(left, right);
  }

  #find({ groupResource, namespace }: ResourceIdentifier): Place | undefined {
    return this.#placeOf.get(groupResource)?.get(namespace);
  }

  #isNext({ name }: ResourceIdentifier, { isInOrder, last }: Place): boolean {
    return isInOrder && name > this.#names.at(last);
  }

  #append(identifier: ResourceIdentifier, known: Place | undefined, isNext: boolean): number {
    const index = this.#names.add(identifier.name);
    const place = known ?? this.#addPlace(identifier, index);
    this.#placeNumbers.add(place.number);
    place.last = index;
    place.isInOrder = isNext;
    place.positions?.set(this.#names.at(index), index);
    return index;
  }

  #addPlace({ groupResource, namespace }: ResourceIdentifier, first: number): Place {
    const [known] = this.#placeOf.get(groupResource)?.values() ?? [];
    const place: Place = {
      groupResource: known?.groupResource ?? copyOf(groupResource),
      namespace: namespace === undefined ? undefined : copyOf(namespace),
      number: this.#places.length,
      first,
      last: first,
      isInOrder: true,
    };
    this.#places.push(place);
    const ofResource = this.#placeOf.get(place.groupResource) ?? new Map<string, Place>();
    this.#placeOf.set(place.groupResource, ofResource.set(place.namespace, place));
    return place;
  }

  #positionsIn({ number, first, last }: Place): Map<string, number> {
    const positions = new Map<string, number>();
    for (let index = first; index <= last; index += 1) {
      if (this.#placeNumbers.at(index) === number) {
        positions.set(this.#names.at(index), index);
      }
    }
    return positions;
  }
}

// There is no other way to a text that is no part of another.
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
