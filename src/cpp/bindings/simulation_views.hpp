#pragma once
// Views of simulated environments and of recorded steps; see array_views.hpp.

#include "bindings/array_views.hpp"
#include "npgfast/sampling/simulation.hpp"

namespace npgfast::bindings {

/// The tuple (kind, parameters, action_low | None, action_high | None, time_limit, horizon)
/// with the simulator it names.
class EnvironmentView {
public:
    explicit EnvironmentView(const py::tuple& arrays);

    Environment environment() const { return {*simulator_, low_, high_, time_limit_, horizon_}; }
    /// Raises unless the policy's observations and actions are the simulator's.
    void check_policy(const LinearPolicy& policy) const;

private:
    std::unique_ptr<Simulator> simulator_;
    Reals low_, high_;
    Index time_limit_ = 0, horizon_ = 0;
};

/// What so many steps are expected to take on one thread, with all that is stored of them.
double simulation_seconds(const Environment& environment, const LinearPolicy& policy, double n_steps);

/// The tuple (offsets, observations, actions, rewards, log_probs, time, flags, cut, cut_observations), as in
/// recording.hpp.
py::tuple recording_tuple(Recording&& recording);
Recording recording_view(const py::tuple& arrays, const LinearPolicy& policy);

}  // namespace npgfast::bindings
