#!/usr/bin/env bash
# Owns: everything that needs a GPU, proven and measured in one run: see README.md beside it.
# Must not know: how any step works.

set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
node=$(command -v node || true) tensorrt="" headers="" out="" cache="" sizes=S,L inputs=518x518,280x280,924x518 quick=""
steps=kernels,torch,addon,engine

folder() { (cd "$1" && pwd) || { echo "Expected a folder, received $1" >&2; exit 2; }; }
while [ $# -gt 0 ]; do
  case $1 in
    --out) mkdir -p "${2:?}"; out=$(folder "$2"); shift 2 ;;
    --cache) mkdir -p "${2:?}"; cache=$(folder "$2"); shift 2 ;;
    --node) node=$(folder "$(dirname "${2:?}")")/$(basename "$2"); shift 2 ;;
    --tensorrt) tensorrt=$(folder "${2:?}"); shift 2 ;;
    --headers) headers=$(folder "${2:?}"); shift 2 ;;
    --sizes) sizes=${2:?}; shift 2 ;;
    --inputs) inputs=${2:?}; shift 2 ;;
    --steps) steps=${2:?}; shift 2 ;;
    --quick) quick=--quick; shift ;;
    *) echo "Expected --out, --cache, --node, --tensorrt, --headers, --sizes, --inputs, --steps or --quick, received $1" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] || { echo "Expected --out FOLDER" >&2; exit 2; }
[ -x "$node" ] || { echo "Expected Node.js in PATH or by --node FILE" >&2; exit 2; }
cd "$root" || exit 2
mkdir -p "$out/bin"
ln -sf "$node" "$out/bin/node" # cmake-js starts it by that name
export PATH="$out/bin:$PATH:/usr/local/cuda/bin"
: > "$out/steps.txt"
failed=0

wanted() { [[ ",$steps," == *",$1,"* ]]; }
skip() { echo; echo "== $1 SKIPPED: $2"; echo "skipped $1: $2" >> "$out/steps.txt"; }
step() {
  local name=$1 started=$SECONDS; shift
  echo; echo "== $name"
  if "$@" 2>&1 | tee "$out/$name.log"; then
    echo "ok $name: $((SECONDS - started)) s" | tee -a "$out/steps.txt"
  else
    echo "FAILED $name after $((SECONDS - started)) s" | tee -a "$out/steps.txt"; failed=1; return 1
  fi
}
# Also where a time limit ends the run.
trap '"$node" "$root/benchmarks/gpu/table.mjs" "$out"' EXIT
trap 'exit 130' INT TERM

nvidia-smi --query-gpu=name,driver_version,memory.total,power.limit --format=csv | tee "$out/gpu.csv" || exit 1
nvcc --version | tail -n 2 | tee "$out/nvcc.txt" || exit 1
arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)

native() {
  cmake -S . -B "$out/build-native" -DCMAKE_BUILD_TYPE=Release -DVIDEO_DEPTH_ADDON=OFF -DVIDEO_DEPTH_GPU_CHECKS=ON \
    -DCMAKE_CUDA_ARCHITECTURES="$arch" > "$out/cmake.log" || { cat "$out/cmake.log"; return 1; }
  cmake --build "$out/build-native" --parallel "$(nproc)"
}
program() { find "$out/build-native" -name "$1" -type f | head -n 1; }
if ! wanted kernels; then
  skip kernels "not among --steps"
elif step build-kernels native; then
  step kernels "$(program video_depth_kernel_tests)"
  step bandwidth "$(program video_depth_kernel_bench)" --json "$out/bandwidth.json"
  step path "$(program video_depth_path_bench)" --json "$out/path.json"
fi

if ! wanted torch; then
  skip torch "not among --steps"
elif python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
  for size in ${sizes//,/ }; do
    for input in ${inputs//,/ }; do
      step "torch-$size-$input" python3 benchmarks/gpu/torch_baseline.py --size "$size" --input "$input" --json "$out/torch-$size-$input.json"
    done
  done
else
  skip torch "python3 has no PyTorch that sees the GPU"
fi

# From nothing: cmake-js keeps an earlier configuration, with other headers.
addon() {
  rm -rf build
  TENSORRT_ROOT=$headers "$node" node_modules/cmake-js/bin/cmake-js compile --CDCMAKE_CUDA_ARCHITECTURES="$arch" &&
    "$node" -e 'const { gpu } = require("./build/Release/video_depth.node"); console.log("compiled:", gpu?.compiled); process.exit(gpu ? 0 : 1)'
}
if [ -z "$headers" ]; then
  skip addon "no --headers, so the addon would have no GPU part"
elif ! wanted addon; then
  skip addon "not among --steps"
else
  step addon addon
fi
if [ -z "$tensorrt" ]; then
  skip engine "no --tensorrt"
elif ! wanted engine; then
  skip engine "not among --steps"
else
  export LD_LIBRARY_PATH=$tensorrt:${LD_LIBRARY_PATH:-}
  step doctor "$node" dist/esm/cli/main.js doctor --tensorrt-path "$tensorrt"
  step engine "$node" benchmarks/gpu/engine.mjs --out "$out/engine.json" --cache "${cache:-$out/cache}" \
    --tensorrt "$tensorrt" --sizes "$sizes" --inputs "$inputs" $quick
fi
exit $failed
