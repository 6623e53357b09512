#pragma once

#include <vector>

#include "npgfast/base/types.hpp"

namespace npgfast {

/// What became of an episode at a step.
enum StepFlag : std::uint8_t {
    kTerminated = 1,  ///< the problem ended the episode
    kTruncated = 2,   ///< a limit outside the problem cut it
    kRestarted = 4,   ///< a geometric restart ended it
};

/// The steps of environments with observations, one environment after another; environment e owns the entries
/// [offsets[e], offsets[e+1]).
///
/// The observation that a step really reached is kept, apart from the restart that may follow, where the value of what
/// comes after it is needed: for the entries `cut`, ascending, which are those truncated and the last of each
/// environment, unless terminated.
struct Recording {
    Index observation_size = 0;
    Index action_size = 1;
    std::vector<Index> offsets{0};
    std::vector<double> observations;       ///< (n, D)
    std::vector<double> actions;            ///< (n, k), as drawn; a discrete action as its number
    std::vector<double> rewards;            ///< (n,)
    std::vector<double> log_probs;          ///< (n,) nats
    std::vector<std::int32_t> time;         ///< (n,) step within its episode
    std::vector<std::uint8_t> flags;        ///< (n,)
    std::vector<Index> cut;                 ///< (c,)
    std::vector<double> cut_observations;   ///< (c, D)

    Index n_envs() const { return std::ssize(offsets) - 1; }
    Index n_steps() const { return std::ssize(rewards); }
};

}  // namespace npgfast
