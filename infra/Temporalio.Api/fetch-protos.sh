#!/bin/sh
# Fetches Temporal's .proto files (MIT) from the npm package that ships them, into the ignored folder protos/ beside this script.
set -eu
version=1.24.0
here=$(cd "$(dirname "$0")" && pwd)
[ "$(cat "$here/protos/VERSION" 2>/dev/null)" = "$version" ] && exit 0

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent "@temporalio/core-bridge@$version" >/dev/null && tar -xzf ./*.tgz package/sdk-core/crates/protos/protos)
source=$scratch/package/sdk-core/crates/protos/protos

rm -rf "$here/protos" && mkdir -p "$here/protos/google"
# Not api_upstream/google/protobuf: Grpc.Tools brings every well-known type, that folder only some.
cp -r "$source/api_upstream/temporal" "$source/api_upstream/nexusannotations" "$here/protos/"
cp -r "$source/api_upstream/google/api" "$source/google/rpc" "$here/protos/google/"
cp -r "$source/grpc" "$here/protos/"
echo "$version" >"$here/protos/VERSION"
