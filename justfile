# Shortcuts. Nothing here does what plain cargo or .ci/run could not.

_default:
    @just --list

# a tour on simulated portals
demo:
    cargo build --workspace
    target/debug/portal-sim demo

# all tests
test:
    cargo test --workspace

# everything that CI checks
ci:
    bash .ci/run

# licences, bans and sources of the dependencies
licences:
    cargo deny --offline check bans licenses sources

# read changed snapshots one by one (needs cargo-insta)
review:
    cargo insta test --workspace --review --unreferenced=reject

# the pictures in the READMEs, from what the tour writes (needs chromium)
pictures:
    cargo build --workspace
    bash docs/pictures/make.sh
