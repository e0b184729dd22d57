/** Version of this package, as in package.json. */
export const CLIENT_VERSION = '0.1.0';
