# syntax=docker/dockerfile:1

# All that is in the image comes from here. A release pins it by digest, as RELEASING.md says.
ARG NODE_IMAGE=node:26.10-bookworm-slim

# The program, compiled to dist/ and joined to a few files there.
FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
COPY clients/typescript/package.json clients/typescript/package.json
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY gen gen
COPY scripts/bundle.ts scripts/bundle.ts
RUN node_modules/.bin/tsc -p tsconfig.build.json && cp -r src/server/status/page dist/src/server/status/page && node scripts/bundle.ts

# Packages that run, without tools and without the Node that they could bring.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
COPY clients/typescript/package.json clients/typescript/package.json
RUN npm ci --ignore-scripts --omit=dev --omit=optional --workspaces=false && rm -rf node_modules/@understudy clients

# Node and the libraries that it needs, with what tells scanners their versions: no shell, no package manager.
FROM ${NODE_IMAGE} AS system
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN set -eu; \
    for file in /usr/local/bin/node $(ldd /usr/local/bin/node | grep -o '/[^ ]*') /etc/nsswitch.conf /etc/os-release; do \
      install -D "$file" "/system$file"; \
    done; \
    mkdir -p /system/var/lib/dpkg/status.d; \
    for name in libc6 libgcc-s1 libstdc++6 libatomic1; do dpkg -s "$name" > "/system/var/lib/dpkg/status.d/$name"; done; \
    echo 'nonroot:x:65532:65532:nonroot:/:/sbin/nologin' > /system/etc/passwd

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Understudy" \
      org.opencontainers.image.description="An LLM provider gateway that speaks typed gRPC, with a fallback engine behind it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /app
# The threshold keeps glibc from holding on to the room of large bodies when they are gone, two arenas from keeping room for each thread.
ENV NODE_ENV=production \
    MALLOC_MMAP_THRESHOLD_=1048576 \
    MALLOC_ARENA_MAX=2 \
    UNDERSTUDY_GRPC_ADDRESS=0.0.0.0:50051 \
    UNDERSTUDY_HTTP_ADDRESS=0.0.0.0:8080 \
    UNDERSTUDY_ADMIN_ADDRESS=0.0.0.0:9464
COPY --from=system /system /
COPY --from=packages /app/node_modules node_modules
COPY --from=build /src/dist dist
COPY LICENSE package.json ./
COPY proto proto
# A number, so that Kubernetes can see that it is not root. Nothing is written.
USER 65532:65532
EXPOSE 50051 8080 9464
# Liveness alone: a container is not ill because a provider is. With TLS set UNDERSTUDY_ADDRESS=https://…, or see docs/operating.md.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/node", "dist/src/main.js", "health", "--service", "liveness"]
# Node itself, which heeds SIGTERM as the first process too: no init is needed.
ENTRYPOINT ["/usr/local/bin/node", "dist/src/main.js"]
CMD ["serve"]
