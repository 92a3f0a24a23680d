#!/bin/bash
# Measures this project and transformers at the same work, one after the other, and prints the ratios.
#   tests/Speed/compare.sh                                # GPT-2 124M on the processor
#   tests/Speed/compare.sh --model gpt-j --device cuda    # the options go to both sides
# PYTHON says how Python with torch and transformers is called, /usr/bin/python3 unless it is set. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in sampling training; do
    ./alt bench "$name" --json "$@" > "$work/$name.json"
done
${PYTHON:-/usr/bin/python3} tests/Speed/transformers_speed.py "$@" > "$work/transformers.json"
jq -n --slurpfile sampling "$work/sampling.json" --slurpfile training "$work/training.json" --slurpfile transformers "$work/transformers.json" '
    $transformers[0].best as $best
    | { sampling: [$sampling[0].figures.cases[]
          | $best["sampling \(.elementType) \(.batch)"] as $theirs
          | { batch, elementType, tokensPerSecond, transformers: $theirs, times: (.tokensPerSecond / $theirs), ofCeiling: .ratio }],
        training: ($training[0].figures
          | $best["training float32 8"] as $theirs
          | { tokensPerSecond, transformers: $theirs, times: (.tokensPerSecond / $theirs), ofCeiling: .ratio }) }'
