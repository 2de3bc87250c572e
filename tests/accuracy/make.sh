#!/usr/bin/env bash
# for development: accuracy without CMake, in /tmp/acc-$USER-<tree>
set -e
cd "$(dirname "$0")/../.."
out=${1:-/tmp/acc$(pwd | tr / _)}; mkdir -p $out
F="-std=c++20 -O2 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -I. -Iengine/include"
c() { g++ $F "$@"; }
c -c tests/accuracy/kernels.cpp -DENGINE_FORM=scalar -DENGINE_FORM_SCALAR=1 -mfma -o $out/s.o &
c -c tests/accuracy/kernels.cpp -DENGINE_FORM=vector32 -mavx2 -mfma -mbmi2 -o $out/v32.o; wait
c -c tests/accuracy/kernels.cpp -DENGINE_FORM=vector16 -msse4.2 -o $out/v16.o &
c -c tests/accuracy/kernels.cpp -DENGINE_FORM=vector64 -mavx2 -mfma -mbmi2 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512 -o $out/v64.o; wait
[ $out/acc.o -nt tests/accuracy/accuracy.cpp ] && [ $out/acc.o -nt tests/accuracy/functions.inc ] || c -c tests/accuracy/accuracy.cpp -o $out/acc.o
c tests/accuracy/forms.cpp $out/*.o -lmpfr -lgmp -lpthread -o $out/accuracy
echo $out/accuracy
