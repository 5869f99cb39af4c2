/** Does a wait in which nothing is asked of the cluster, so that other work may take the place of the one that waits. */
export type Pause = <T>(wait: () => Promise<T>) => Promise<T>;

/** For work that has no place to give away: the wait is just done. */
export const keepPlace: Pause = (wait) => wait();
