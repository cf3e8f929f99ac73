# Shortcuts. Nothing here does what plain cargo or a script in .ci/ could not.

_default:
    @just --list

# a tour on simulated portals
demo:
    cargo build --workspace
    target/debug/portal-sim demo

# a simulated portal, until it is stopped; it prints its address and its key (`just sim incident`)
sim scenario="incident":
    cargo run --quiet -p portal-sim -- serve --scenario {{ scenario }}

# a program once, on a simulated portal: `just run vdr-watch incident --format json`
[positional-arguments]
run program scenario *flags:
    .ci/run-on-portal "$@"

# a new program, from the example of a whole one: `just new-program share-watch`
new-program name:
    .ci/new-program {{ name }}

# all tests
test:
    cargo test --workspace

# everything that CI checks
ci:
    bash .ci/run

# spelling (pip install typos)
typos:
    typos

# licences, bans and sources of the dependencies
licences:
    cargo deny --offline check bans licenses sources

# known holes in the dependencies; fetches the database of advisories
advisories:
    cargo deny check advisories || { echo "holes were found, or the database could not be fetched: see above" >&2; exit 1; }

# what a release of a program holds, in target/packages/PROGRAM: static binary, .deb, .rpm, list of parts
package program:
    .ci/package {{ program }}

# install the packages into empty roots, from `init` to a first report, remove them, look for traces (as root)
package-test program:
    cargo build --quiet -p portal-sim
    .ci/package-test {{ program }}

# the image, of the binary that `package` has built (docker, or buildah as root)
image program:
    .ci/image {{ program }}

# the manifests for Kubernetes, as containers of the image that `image` has built (as root, with podman)
kubernetes-test program:
    cargo build --quiet -p portal-sim
    .ci/kubernetes-test {{ program }}

# read changed snapshots one by one (needs cargo-insta)
review:
    cargo insta test --workspace --review --unreferenced=reject

# the pictures in the READMEs, from what the tour writes (needs chromium)
pictures:
    cargo build --workspace
    bash docs/pictures/make.sh
