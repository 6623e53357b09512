#pragma once

#include <vector>

#include "npgfast/exact/quotient.hpp"

namespace npgfast {

inline constexpr double kUnitRoundoff = 1.1102230246251565e-16;

/// The iterate of every method: node values, the choice (or, with tau, the distribution over rows) behind them, and
/// what one application of T to the values gives.
struct Iterate {
    std::vector<double> values;
    std::vector<double> row_probs;  // over quotient.rows; one-hot for tau = 0
    std::vector<double> action_values, residual;
    Index iterations = 0;
};

/// max |x_i|, NaN left out.
double largest_magnitude(const std::vector<double>& x, Team& team);

/// V - below <= V* <= V + above, times `weights` if there are any.
struct Bounds {
    double below = 0.0, above = 0.0;
    std::vector<double> weights;
};

/// Bounds on the optimal values from one application of T, see optimality.hpp; the residual and the action values are
/// those of the values. At gamma = 1 they cost some linear systems.
Bounds optimality_bounds(const Quotient& quotient, const Iterate& iterate, double tau, Team& team,
                         const Interrupt& interrupt);

}  // namespace npgfast
