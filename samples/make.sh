#!/usr/bin/env bash
# Makes hello.wav: spoken by espeak-ng, brought to 16 kHz mono with half a second of silence around it by sox.
# Needs the Debian packages espeak-ng and sox.
set -euo pipefail
cd "$(dirname "$0")"
raw=$(mktemp --suffix=.wav)
trap 'rm -f "$raw"' EXIT
espeak-ng -v en-gb -s 150 -w "$raw" -f hello.txt
# -D: no dither, so that the file comes out the same every time.
sox -D "$raw" -b 16 hello.wav rate -h 16000 channels 1 pad 0.5 0.5 gain -n -3
