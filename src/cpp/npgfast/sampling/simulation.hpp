#pragma once

#include "npgfast/base/interrupt.hpp"
#include "npgfast/policies/linear.hpp"
#include "npgfast/sampling/episode_group.hpp"
#include "npgfast/sampling/recording.hpp"

namespace npgfast {

struct SimulationOptions {
    Index n_envs = 1;
    Index n_steps = 0;  ///< per environment; 0: one whole episode per environment
    std::uint64_t seed = 0;
    std::uint32_t iteration = 0;
    int n_threads = 1;
};

/// Plays a simulator under a policy in many environments.
///
/// Step t of environment e draws its action, its noise and its restart from streams keyed by (seed; iteration, e, t),
/// of which steps 2i and 2i + 1 share their blocks (base/group.hpp), and environments step in lanes of groups that do
/// not meet, so that nothing depends on threads or on n_envs. With n_steps > 0 environments go on from `standing`
/// (n_envs, standing_size) and are left there; an episode that ends is followed by the next. With n_steps = 0 each
/// plays one episode from its start.
/// Preconditions: with n_steps = 0 a time limit or horizon, or episodes that end by themselves.
/// Groups are the tasks of the threads; a group plays a tile of steps at a time into arrays that stay in the
/// first-level cache, which are then written out, one environment after another (tile.hpp), past the caches if none
/// holds the whole.
/// Cost per step: one simulator step, one evaluation of the features, half a Philox block, A exps and a log, or k
/// normals, and 8 D + 25 bytes written. Bound by arithmetic, half of it the softmax's and the simulator's, and by
/// memory where the recording is large.
/// Errors: std::invalid_argument if an episode exceeds 2^26 steps.
Recording simulate(const Environment& environment, const LinearPolicy& policy, Reals theta,
                   const SimulationOptions& options, MutableReals standing, const Interrupt& interrupt);

/// Undiscounted returns of whole episodes e = first, ..., first + n - 1, (n,), played on streams of their own
/// (evaluation_*): the episodes on which policies are compared never teach them.
std::vector<double> episode_returns(const Environment& environment, const LinearPolicy& policy, Reals theta,
                                    bool deterministic, Index first, Index n, std::uint64_t seed,
                                    std::uint32_t iteration, const Interrupt& interrupt);

}  // namespace npgfast
