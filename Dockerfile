# The image is the root file system that scripts/rootfs makes, and nothing else: no shell, nothing
# that is written to. scripts/image builds it with whichever of docker, podman and buildah there is.
#
#   docker run --read-only -p 8080:8080 carousel
#   docker run --read-only -p 8080:8080 -v ./my-models:/models:ro carousel serve --models /models

ARG SWIFT_IMAGE=docker.io/library/swift:6.3-bookworm
FROM ${SWIFT_IMAGE} AS build
WORKDIR /source
COPY scripts/prelude.sh scripts/dependencies scripts/
RUN scripts/dependencies build
COPY . .
RUN scripts/rootfs /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 10001:10001
ENV CAROUSEL_HOST=:: CAROUSEL_LOG_FORMAT=json
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/carousel", "probe"]
ENTRYPOINT ["/carousel"]
CMD ["serve"]
