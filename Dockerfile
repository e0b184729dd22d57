# Build: the whole tree, compiled to dist/.
FROM node:26.10-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci --ignore-scripts && npx tsc -p tsconfig.build.json

# Packages that run, without tools and without the Node that they could bring.
FROM node:26.10-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY clients/typescript/package.json clients/typescript/package.json
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:26.10-bookworm-slim
WORKDIR /app
# The threshold keeps glibc from holding on to the room of large bodies when they are gone.
ENV NODE_ENV=production \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    UNDERSTUDY_GRPC_ADDRESS=0.0.0.0:50051 \
    UNDERSTUDY_HTTP_ADDRESS=0.0.0.0:8080 \
    UNDERSTUDY_ADMIN_ADDRESS=0.0.0.0:9464
COPY --from=packages /app/node_modules node_modules
COPY --from=build /src/dist dist
COPY LICENSE package.json ./
COPY proto proto
USER node
EXPOSE 50051 8080 9464
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/livez').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself, not npm: npm does not pass SIGTERM on.
CMD ["node", "dist/src/main.js"]
