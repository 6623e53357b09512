#pragma once

#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Least-squares value function with one parameter per state: the weighted mean of the targets of each state.
///
/// Inputs: cells (n,) in [0, size of values), targets (n,), weights (n,) >= 0; `values` holds what a cell without
/// weight keeps. Output: values. Cost: n + cells.
void fit_table(Integers cells, Reals targets, Reals weights, MutableReals values);

}  // namespace npgfast
