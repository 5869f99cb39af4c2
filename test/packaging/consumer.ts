// Compiled in a fresh application, with the declarations of the installed packages checked too.
import * as core from '@lifeboat/core';
import * as testing from '@lifeboat/core/testing';

export const names: readonly string[] = [core, testing].flatMap((module) => Object.keys(module));
