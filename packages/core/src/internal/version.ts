import packageJson from '../../package.json' with { type: 'json' };

/** The version of Lifeboat, for what it writes. */
export const version: string = packageJson.version;
