// Owns: the names of the groups of cases.
// Must not know: where kernels run.
#pragma once

#include "kernels/harness.h"

namespace kernel_test {

void preprocess_formats(Tally& tally);
void preprocess_sizes(Tally& tally);
void preprocess_refusals(Tally& tally);
void frames_sizes(Tally& tally);
void frames_jobs(Tally& tally);
void frames_values(Tally& tally);
void frames_anew(Tally& tally);
void frames_refusals(Tally& tally);
void fit_sizes(Tally& tally);
void fit_bits(Tally& tally);
void fit_degenerate(Tally& tally);
void fit_content(Tally& tally);
void map_fit_sizes(Tally& tally);
void map_fit_values(Tally& tally);
void health_sizes(Tally& tally);
void health_values(Tally& tally);
void convert_sizes(Tally& tally);
void convert_values(Tally& tally);
void copy_sizes(Tally& tally);
void state_sizes(Tally& tally);
void state_refusals(Tally& tally);

} // namespace kernel_test
