#!/usr/bin/env bash
# Owns: everything that needs a GPU, proven and measured in one run: see README.md beside it.
# Must not know: how any step works.

set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
node=node tensorrt="" headers="" out="" sizes=S,L quick=""

while [ $# -gt 0 ]; do
  case $1 in
    --out) out=${2:?}; shift 2 ;;
    --node) node=${2:?}; shift 2 ;;
    --tensorrt) tensorrt=$(cd "${2:?}" && pwd); shift 2 ;;
    --headers) headers=$(cd "${2:?}" && pwd); shift 2 ;;
    --sizes) sizes=${2:?}; shift 2 ;;
    --quick) quick=--quick; shift ;;
    *) echo "Expected --out, --node, --tensorrt, --headers, --sizes or --quick, received $1" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] || { echo "Expected --out FOLDER" >&2; exit 2; }
mkdir -p "$out" && out=$(cd "$out" && pwd)
cd "$root"
export PATH="$(dirname "$(command -v "$node" || echo "$node")"):$PATH:/usr/local/cuda/bin"
failed=0

step() {
  local name=$1; shift
  local started=$SECONDS
  echo; echo "== $name"
  if "$@" 2>&1 | tee "$out/$name.log"; then
    echo "== $name: $((SECONDS - started)) s"
  else
    echo "== $name FAILED after $((SECONDS - started)) s"; failed=1; return 1
  fi
}
skip() { echo; echo "== $1 SKIPPED: $2"; echo "SKIPPED: $2" > "$out/$1.log"; }

nvidia-smi --query-gpu=name,driver_version,memory.total,power.limit --format=csv | tee "$out/gpu.csv" || exit 1
nvcc --version | tail -n 2 | tee "$out/nvcc.txt" || exit 1
arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)

native() {
  cmake -S . -B "$out/build-native" -DCMAKE_BUILD_TYPE=Release -DVIDEO_DEPTH_ADDON=OFF -DVIDEO_DEPTH_GPU_CHECKS=ON \
    -DCMAKE_CUDA_ARCHITECTURES="$arch" > "$out/cmake.log" || { cat "$out/cmake.log"; return 1; }
  cmake --build "$out/build-native" --parallel "$(nproc)"
}
if step build-kernels native; then
  step kernels "$(find "$out/build-native" -name video_depth_kernel_tests -type f | head -n 1)"
  step bandwidth "$(find "$out/build-native" -name video_depth_kernel_bench -type f | head -n 1)" --json "$out/bandwidth.json"
fi

addon() {
  TENSORRT_ROOT=$headers node node_modules/cmake-js/bin/cmake-js compile --CDCMAKE_CUDA_ARCHITECTURES="$arch"
}
if [ -z "$headers" ]; then
  skip engine "no --headers, so the addon has no GPU part"
elif [ -z "$tensorrt" ]; then
  skip engine "no --tensorrt"
elif step addon addon; then
  step doctor node dist/esm/cli/main.js doctor --tensorrt-path "$tensorrt"
  LD_LIBRARY_PATH=$tensorrt:${LD_LIBRARY_PATH:-} step engine node benchmarks/gpu/engine.mjs --out "$out/engine.json" \
    --tensorrt "$tensorrt" --sizes "$sizes" $quick
fi

if python3 -c 'import torch; assert torch.cuda.is_available()' 2> /dev/null; then
  for size in ${sizes//,/ }; do
    for input in 518x518 280x280 924x518; do
      step "torch-$size-$input" python3 benchmarks/gpu/torch_baseline.py --size "$size" --input "$input" --json "$out/torch-$size-$input.json"
    done
  done
else
  skip torch "python3 has no PyTorch that sees the GPU"
fi

step table node benchmarks/gpu/table.mjs "$out"
exit $failed
