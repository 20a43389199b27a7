// Owns: the list of all groups of cases.
// Must not know: what they check.

#include "kernels/cases.h"

namespace kernel_test {

std::vector<Group> groups() {
  return {{"preprocess: formats, matrices, ranges", preprocess_formats},
          {"preprocess: sizes", preprocess_sizes},
          {"preprocess: what does not fit", preprocess_refusals},
          {"write frames: sizes and alignments", frames_sizes},
          {"write frames: many jobs, in place, held alone", frames_jobs},
          {"write frames: NaN, infinity, what is negative", frames_values},
          {"write frames: windows that begin anew, pairs left out", frames_anew},
          {"write frames: what does not fit", frames_refusals},
          {"fit: sizes and pairs", fit_sizes},
          {"fit: the same bits at every alignment", fit_bits},
          {"fit: without a usable solution", fit_degenerate},
          {"fit: references without content", fit_content},
          {"map fit: sizes and alignments", map_fit_sizes},
          {"map fit: flat, not finite, large means", map_fit_values},
          {"health: sizes and alignments", health_sizes},
          {"health: special values", health_values},
          {"convert: sizes and alignments", convert_sizes},
          {"convert: special values", convert_values},
          {"copy blocks: sizes and alignments", copy_sizes},
          {"write state: widths, slots, gates", state_sizes},
          {"write state: what does not fit", state_refusals}};
}

} // namespace kernel_test
