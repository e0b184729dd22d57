/** Version of this package; written by `npm run generate` from package.json. */
export const PACKAGE_VERSION = '0.1.0';
