export { ConfigError } from './config/port/problem.ts';
export { createGateway, type GatewayOptions } from './gateway.ts';
export type { EmbeddedGateway } from './server/handlers/embedded-gateway.ts';
export type { GatewaySnapshot } from './server/handlers/wired-gateway.ts';
