#pragma once

#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// Least-squares value function with one parameter per state: the weighted mean of the targets of each state.
///
/// Inputs: cells (n,) in [0, size of values), targets (n,), weights (n,) >= 0; `values` holds what a cell without
/// weight keeps. Output: values. Cost: n + cells, entry after entry on the calling thread.
void fit_table(Integers cells, Reals targets, Reals weights, MutableReals values);

/// The features of `ObservationBaseline`.
enum class BaselineKind : int { none = 0, linear, quadratic };

/// A value function linear in features of the observation and of the time within the episode.
///
///     V(o, t) = b . (1, u, ..., u^powers, z, and with `quadratic` all z_i z_j, i <= j)
///
/// z is the observation, standardised by the batch that the function was fitted to and held to +-10, u the time in
/// units of that batch's longest episode, held to 1. It lives in one flat array, `state`: 1 / longest, means (D,),
/// scales (D,), b (p,); all zeros, V is 0.
class ObservationBaseline {
public:
    ObservationBaseline(BaselineKind kind, Index observation_size, Index time_powers)
        : kind_(kind), size_(observation_size), powers_(time_powers) {}

    Index n_features() const;
    Index state_size() const { return kind_ == BaselineKind::none ? 0 : 1 + 2 * size_ + n_features(); }

    /// Values of n observations (n, D) at times (n,). Cost: n*p; the features of one group of observations after
    /// another stay in the first-level cache. Bound by arithmetic, a register of lanes at a time.
    std::vector<double> predict(Reals state, Reals observations, Integers time) const;

    /// Fits `state` to targets (n,) by ridge regression: the weight 1e-5 on features of unit size only keeps it unique.
    /// A fit that is not finite leaves the state as it was. Cost: n*p^2 / 2 multiply-adds, which bound it, and p^3 / 6
    /// for the factor: the moments of features and targets are summed over eight groups of observations at a time.
    /// Source: Duan, Chen, Houthooft, Schulman & Abbeel 2016, supplement (linear features of state and time);
    /// Rajeswaran et al. 2017, section 5 (quadratic ones).
    void fit(MutableReals state, Reals observations, Integers time, Reals targets) const;

private:
    /// The features (p, kGroup) of n <= kGroup observations (n, D) at times (n,).
    void features(Reals state, Index n, const double* observations, const std::int32_t* time, double* rows) const;

    BaselineKind kind_;
    Index size_, powers_;
};

}  // namespace npgfast
